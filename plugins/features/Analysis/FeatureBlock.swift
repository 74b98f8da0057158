import PluginKit

/// Some neighbouring features in one window: the values of each in a row, and what they come to.
///
/// A vector's lanes are features, and it goes through the frames in their order. So the sums of each feature are made in the
/// order in which they would be made of it alone, and are the same to the bit.
final class FeatureBlock {
    /// So many that reads and writes of the transposition stay in the cache.
    static let width = 32
    private typealias Lanes = SIMD4<Float>
    private static let lanes = Lanes.scalarCount

    /// What the values of one feature come to; frames count from the window's first.
    struct Figures: BitwiseCopyable {
        var sum = 0.0
        var square = 0.0
        /// Values above zero.
        var active: UInt32 = 0
        /// The largest and the smallest value, and the first frame of each.
        var high: Float = 0
        var low: Float = 0
        var highFrame = 0
        var lowFrame = 0
    }

    let frames: Int
    /// [frames, width]: the features' part of each frame, zero behind the last feature.
    private let parts: Store<Float>
    /// [width, frames]
    private let rows: Store<Float>
    let figures = Store(repeating: Figures(), count: width)
    /// Room for the inner loop's lists of a row's frames.
    let lists: SideScan.Lists

    /// - Parameter frames: at least one.
    init(frames: Int) {
        self.frames = frames
        parts = Store(repeating: 0, count: frames * Self.width)
        rows = Store(repeating: 0, count: frames * Self.width)
        lists = SideScan.Lists(frames: frames)
    }

    func row(_ index: Int) -> UnsafeBufferPointer<Float> { UnsafeBufferPointer(rows.slice(index * frames, frames)) }

    /// Takes in features `start ..< start + count` of values [frames, features].
    func read(_ values: UnsafeBufferPointer<Float>, features: Int, from start: Int, count: Int) {
        precondition(
            start >= 0 && count <= Self.width && start + count <= features && values.count == frames * features,
            "features \(start) and \(count) more of \(values.count) values")
        guard let source = values.baseAddress, let parts = parts.numbers.baseAddress,
            let rows = rows.numbers.baseAddress
        else { return }
        for frame in 0..<frames {
            let part = parts + frame * Self.width
            part.update(from: source + (frame * features + start), count: count)
            (part + count).update(repeating: 0, count: Self.width - count)
        }
        for lane in stride(from: 0, to: count, by: Self.lanes) { sumUp(parts, lane, rows) }
    }

    /// Four features, from `lane` on.
    private func sumUp(_ parts: UnsafePointer<Float>, _ lane: Int, _ rows: UnsafeMutablePointer<Float>) {
        var sums = Sums(first: Self.load(parts + lane))
        let whole = frames / Self.lanes * Self.lanes
        for frame in stride(from: 0, to: whole, by: Self.lanes) {
            let part = parts + (frame * Self.width + lane)
            let a = Self.load(part)
            let b = Self.load(part + Self.width)
            let c = Self.load(part + 2 * Self.width)
            let d = Self.load(part + 3 * Self.width)
            sums.add(a, Int32(truncatingIfNeeded: frame))
            sums.add(b, Int32(truncatingIfNeeded: frame + 1))
            sums.add(c, Int32(truncatingIfNeeded: frame + 2))
            sums.add(d, Int32(truncatingIfNeeded: frame + 3))
            let row = rows + (lane * frames + frame)
            Self.store(Lanes(a[0], b[0], c[0], d[0]), row)
            Self.store(Lanes(a[1], b[1], c[1], d[1]), row + frames)
            Self.store(Lanes(a[2], b[2], c[2], d[2]), row + 2 * frames)
            Self.store(Lanes(a[3], b[3], c[3], d[3]), row + 3 * frames)
        }
        for frame in whole..<frames {
            let values = Self.load(parts + (frame * Self.width + lane))
            sums.add(values, Int32(truncatingIfNeeded: frame))
            for index in 0..<Self.lanes { rows[(lane + index) * frames + frame] = values[index] }
        }
        for index in 0..<Self.lanes { figures[lane + index] = sums[index] }
    }

    private struct Sums {
        var sums = (SIMD2<Double>.zero, SIMD2<Double>.zero)
        var squares = (SIMD2<Double>.zero, SIMD2<Double>.zero)
        var active = SIMD4<Int32>.zero
        var high, low: Lanes
        var highFrame = SIMD4<Int32>.zero
        var lowFrame = SIMD4<Int32>.zero

        init(first: Lanes) { (high, low) = (first, first) }

        @inline(__always)
        mutating func add(_ values: Lanes, _ frame: Int32) {
            let a = SIMD2(Double(values[0]), Double(values[1]))
            let b = SIMD2(Double(values[2]), Double(values[3]))
            sums.0 += a
            sums.1 += b
            squares.0 += a * a
            squares.1 += b * b
            active &-= SIMD4<Int32>.zero.replacing(with: -1, where: values .> 0)
            let place = SIMD4(repeating: frame)
            let (isHigher, isLower) = (values .> high, values .< low)
            high.replace(with: values, where: isHigher)
            highFrame.replace(with: place, where: isHigher)
            low.replace(with: values, where: isLower)
            lowFrame.replace(with: place, where: isLower)
        }

        subscript(lane: Int) -> Figures {
            Figures(
                sum: lane < 2 ? sums.0[lane] : sums.1[lane - 2],
                square: lane < 2 ? squares.0[lane] : squares.1[lane - 2], active: UInt32(bitPattern: active[lane]),
                high: high[lane], low: low[lane], highFrame: Int(highFrame[lane]), lowFrame: Int(lowFrame[lane]))
        }
    }

    @inline(__always)
    private static func load(_ place: UnsafePointer<Float>) -> Lanes {
        UnsafeRawPointer(place).loadUnaligned(as: Lanes.self)
    }

    @inline(__always)
    private static func store(_ lanes: Lanes, _ place: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(place).storeBytes(of: lanes, as: Lanes.self)
    }
}
