// Products in double precision, for problems whose answer is wanted to the last digits.

import CVectors

private typealias Doubles = vectors_doubles
private let width = Int(VECTORS_DOUBLES)

@inline(__always) private func loadDoubles(_ x: UnsafePointer<Double>) -> Doubles {
    UnsafeRawPointer(x).loadUnaligned(as: Doubles.self)
}

/// C[rows, columns] = A[rows, depth] · B[depth, columns], or C + A · B, row-major.
///
/// B is read as it lies, two vectors of columns at a time, so its rows should be few or near each other. A number is one
/// chain of products in the order of `depth`, whatever is computed beside it.
public func productOfDoubles(
    rows: Int, columns: Int, depth: Int, _ a: UnsafePointer<Double>, lda: Int, _ b: UnsafePointer<Double>, ldb: Int,
    into c: UnsafeMutablePointer<Double>, ldc: Int, accumulating: Bool
) {
    var column = 0
    while column &+ 2 &* width <= columns {
        var row = 0
        while row &+ 4 <= rows {
            tile4(depth, a + row &* lda, lda, b + column, ldb, c + (row &* ldc &+ column), ldc, accumulating)
            row &+= 4
        }
        while row < rows {
            tile1(depth, a + row &* lda, b + column, ldb, c + (row &* ldc &+ column), accumulating)
            row &+= 1
        }
        column &+= 2 &* width
    }
    while column < columns {
        var row = 0
        while row < rows {
            let to = c + (row &* ldc &+ column), from = a + row &* lda
            var sum = accumulating ? to.pointee : 0
            var k = 0
            while k < depth {
                sum += from[k] * b[k &* ldb &+ column]
                k &+= 1
            }
            to.pointee = sum
            row &+= 1
        }
        column &+= 1
    }
}

private struct Pair {
    var left = Doubles(repeating: 0)
    var right = Doubles(repeating: 0)

    @inline(__always) init(_ c: UnsafePointer<Double>, _ isStarting: Bool) {
        guard isStarting else { return }
        left = loadDoubles(c)
        right = loadDoubles(c + width)
    }

    @inline(__always) mutating func add(_ x: Double, _ b0: Doubles, _ b1: Doubles) {
        let x = Doubles(repeating: x)
        left = vectors_fused_doubles(x, b0, left)
        right = vectors_fused_doubles(x, b1, right)
    }

    @inline(__always) func put(_ c: UnsafeMutablePointer<Double>) {
        UnsafeMutableRawPointer(c).storeBytes(of: left, as: Doubles.self)
        UnsafeMutableRawPointer(c + width).storeBytes(of: right, as: Doubles.self)
    }
}

@inline(__always) private func tile1(
    _ k: Int, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ ldb: Int, _ c: UnsafeMutablePointer<Double>,
    _ accumulating: Bool
) {
    var r0 = Pair(c, accumulating)
    var b = b
    var i = 0
    while i < k {
        r0.add(a[i], loadDoubles(b), loadDoubles(b + width))
        b += ldb
        i &+= 1
    }
    r0.put(c)
}

@inline(__always) private func tile4(
    _ k: Int, _ a: UnsafePointer<Double>, _ lda: Int, _ b: UnsafePointer<Double>, _ ldb: Int,
    _ c: UnsafeMutablePointer<Double>, _ ldc: Int, _ accumulating: Bool
) {
    let a1 = a + lda, a2 = a + 2 &* lda, a3 = a + 3 &* lda
    var r0 = Pair(c, accumulating), r1 = Pair(c + ldc, accumulating)
    var r2 = Pair(c + 2 &* ldc, accumulating), r3 = Pair(c + 3 &* ldc, accumulating)
    var b = b
    var i = 0
    while i < k {
        let (b0, b1) = (loadDoubles(b), loadDoubles(b + width))
        r0.add(a[i], b0, b1)
        r1.add(a1[i], b0, b1)
        r2.add(a2[i], b0, b1)
        r3.add(a3[i], b0, b1)
        b += ldb
        i &+= 1
    }
    r0.put(c)
    r1.put(c + ldc)
    r2.put(c + 2 &* ldc)
    r3.put(c + 3 &* ldc)
}
