// Finding the few large among many numbers.

import CVectors

/// The largest of each group of about `span` elements, a group a lane of `span` vectors one behind the other: at least
/// ⌊count / span⌋ maxima of different elements.
/// - Parameter out: room for `count` elements.
/// - Returns: how many maxima there are.
public func laneMaxima(
    _ x: UnsafePointer<Float>, count: Int, span: Int, into out: UnsafeMutablePointer<Float>
) -> Int {
    var i = 0
    var groups = 0
    while i &+ lanes <= count {
        var most = load(x + i)
        i &+= lanes
        var vectors = 1
        while vectors < span, i &+ lanes <= count {
            most = maximum(load(x + i), most)
            i &+= lanes
            vectors &+= 1
        }
        store(most, out + groups)
        groups &+= lanes
    }
    while i < count {
        out[groups] = x[i]
        groups &+= 1
        i &+= 1
    }
    return groups
}

/// The places of elements above the bound, in order.
/// - Parameter places: room for `count` elements.
/// - Returns: how many there are.
public func collect(
    _ x: UnsafePointer<Float>, count: Int, above bound: Float, into places: UnsafeMutablePointer<Int32>
) -> Int {
    let bounds = V(repeating: bound)
    var i = 0
    var found = 0
    while i &+ lanes <= count {
        take(vectors_above(load(x + i), bounds), from: i, into: places, &found)
        i &+= lanes
    }
    while i < count {
        if x[i] > bound {
            places[found] = Int32(truncatingIfNeeded: i)
            found &+= 1
        }
        i &+= 1
    }
    return found
}

/// The places of elements above bounds of their own.
public func collect(
    _ x: UnsafePointer<Float>, count: Int, aboveEach bounds: UnsafePointer<Float>,
    into places: UnsafeMutablePointer<Int32>
) -> Int {
    var i = 0
    var found = 0
    while i &+ lanes <= count {
        take(vectors_above(load(x + i), load(bounds + i)), from: i, into: places, &found)
        i &+= lanes
    }
    while i < count {
        if x[i] > bounds[i] {
            places[found] = Int32(truncatingIfNeeded: i)
            found &+= 1
        }
        i &+= 1
    }
    return found
}

@inline(__always) private func take(
    _ mask: UInt32, from start: Int, into places: UnsafeMutablePointer<Int32>, _ found: inout Int
) {
    var mask = mask
    while mask != 0 {
        places[found] = Int32(truncatingIfNeeded: start &+ mask.trailingZeroBitCount)
        found &+= 1
        mask &= mask &- 1
    }
}
