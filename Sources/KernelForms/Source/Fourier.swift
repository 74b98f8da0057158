// The discrete Fourier transform of `doubleLanes` signals side by side.
//
// Lane l of every vector belongs to signal l, so a transform needs no shuffles and no signal's result depends on its neighbours.

/// One complex number of each of the signals.
struct ComplexLanes {
    var re: D
    var im: D

    @inline(__always) init(_ re: D, _ im: D) { (self.re, self.im) = (re, im) }

    @inline(__always) static func + (a: Self, b: Self) -> Self { Self(a.re + b.re, a.im + b.im) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { Self(a.re - b.re, a.im - b.im) }

    /// The product with the complex constant at `w`, the same in every lane.
    @inline(__always) func times(_ w: UnsafePointer<Double>) -> Self {
        let (wr, wi) = (D(repeating: w[0]), D(repeating: w[1]))
        return Self(fnma(im, wi, re * wr), fma(im, wr, re * wi))
    }

    @inline(__always) func adding(_ b: Self, times factor: D) -> Self {
        Self(fma(b.re, factor, re), fma(b.im, factor, im))
    }

    @inline(__always) static func * (a: Self, factor: D) -> Self { Self(a.re * factor, a.im * factor) }

    /// a − i·b.
    @inline(__always) func minusI(_ b: Self) -> Self { Self(re + b.im, im - b.re) }
    /// a + i·b.
    @inline(__always) func plusI(_ b: Self) -> Self { Self(re - b.im, im + b.re) }

    @inline(__always) var squaredMagnitude: D { fma(im, im, re * re) }
}

typealias ComplexBuffer = UnsafeMutablePointer<ComplexLanes>

/// Transforms the plan's `points` complex numbers at `x`. Both buffers are overwritten; the result lies in the one returned.
///
/// Stockham's self-sorting form of the mixed-radix algorithm (Van Loan, *Computational Frameworks for the Fast
/// Fourier Transform*, §1.7): stage by stage the size n shrinks by a radix r while the stride s grows by it, and the
/// output falls into order with no bit reversal.
///
/// Each stage: for every sub-transform p < count and every column q < stride, the butterfly takes
/// x[q + stride·(p + count·k)], k < radix, and writes its j-th output, twiddled, to y[q + stride·(radix·p + j)].
@inline(__always) func transform(
    _ x: ComplexBuffer, _ scratch: ComplexBuffer, points: Int, stages: Int, _ radices: UnsafePointer<Int>,
    _ twiddles: UnsafePointer<Double>
) -> ComplexBuffer {
    var source = x
    var target = scratch
    var w = twiddles
    var count = points
    var stride = 1
    var stage = 0
    while stage < stages {
        let radix = radices[stage]
        count = count / radix
        if radix == 8 {
            radix8(source, target, count, stride, w)
        } else if radix == 5 {
            if count == 1 { lastRadix5(source, target, stride, w) } else { radix5(source, target, count, stride, w) }
        } else if radix == 4 {
            radix4(source, target, count, stride, w)
        } else if radix == 2 {
            radix2(source, target, count, stride, w)
        } else {
            anyRadix(radix, source, target, count, stride, w)
        }
        w += 2 &* (count &* (radix &- 1) &+ radix)
        stride = stride &* radix
        let other = source
        source = target
        target = other
        stage &+= 1
    }
    return source
}

@inline(__always) private func radix2(
    _ x: ComplexBuffer, _ y: ComplexBuffer, _ count: Int, _ stride: Int, _ twiddles: UnsafePointer<Double>
) {
    let step = count &* stride
    var p = 0
    while p < count {
        let w = twiddles + 2 &* p
        var q = 0
        while q < stride {
            let from = x + (q &+ stride &* p), to = y + (q &+ stride &* 2 &* p)
            let a = from[0], b = from[step]
            to[0] = a + b
            to[stride] = (a - b).times(w)
            q &+= 1
        }
        p &+= 1
    }
}

@inline(__always) private func radix4(
    _ x: ComplexBuffer, _ y: ComplexBuffer, _ count: Int, _ stride: Int, _ twiddles: UnsafePointer<Double>
) {
    let step = count &* stride
    var p = 0
    while p < count {
        let w = twiddles + 6 &* p
        var q = 0
        while q < stride {
            let from = x + (q &+ stride &* p), to = y + (q &+ stride &* 4 &* p)
            let a = from[0], b = from[step], c = from[2 &* step], d = from[3 &* step]
            let evenSum = a + c, evenDifference = a - c, oddSum = b + d, oddDifference = b - d
            to[0] = evenSum + oddSum
            to[stride] = evenDifference.minusI(oddDifference).times(w)
            to[2 &* stride] = (evenSum - oddSum).times(w + 2)
            to[3 &* stride] = evenDifference.plusI(oddDifference).times(w + 4)
            q &+= 1
        }
        p &+= 1
    }
}

/// Two butterflies of four, over the even and the odd inputs, then one of two.
@inline(__always) private func radix8(
    _ x: ComplexBuffer, _ y: ComplexBuffer, _ count: Int, _ stride: Int, _ twiddles: UnsafePointer<Double>
) {
    let step = count &* stride
    let half = D(repeating: 0.70710678118654752)
    var p = 0
    while p < count {
        let w = twiddles + 14 &* p
        var q = 0
        while q < stride {
            let from = x + (q &+ stride &* p), to = y + (q &+ stride &* 8 &* p)
            let o1 = from[step], o3 = from[3 &* step], o5 = from[5 &* step], o7 = from[7 &* step]
            let os = o1 + o5, od = o1 - o5, ot = o3 + o7, oe = o3 - o7
            let odd0 = os + ot, odd2 = os - ot
            let a = od.minusI(oe), b = od.plusI(oe)
            // exp(−iπ/4)·a; and exp(−3iπ/4)·b with its imaginary part negated
            let odd1 = ComplexLanes((a.re + a.im) * half, (a.im - a.re) * half)
            let odd3 = ComplexLanes((b.im - b.re) * half, (b.re + b.im) * half)
            let e0 = from[0], e2 = from[2 &* step], e4 = from[4 &* step], e6 = from[6 &* step]
            let es = e0 + e4, ed = e0 - e4, et = e2 + e6, ee = e2 - e6
            let even0 = es + et, even2 = es - et, even1 = ed.minusI(ee), even3 = ed.plusI(ee)
            to[0] = even0 + odd0
            to[stride] = (even1 + odd1).times(w)
            to[2 &* stride] = even2.minusI(odd2).times(w + 2)
            to[3 &* stride] = ComplexLanes(even3.re + odd3.re, even3.im - odd3.im).times(w + 4)
            to[4 &* stride] = (even0 - odd0).times(w + 6)
            to[5 &* stride] = (even1 - odd1).times(w + 8)
            to[6 &* stride] = even2.plusI(odd2).times(w + 10)
            to[7 &* stride] = ComplexLanes(even3.re - odd3.re, even3.im + odd3.im).times(w + 12)
            q &+= 1
        }
        p &+= 1
    }
}

/// The five outputs of a butterfly before their twiddles: 1 and 4, 2 and 3 are conjugate combinations of a cosine part and a sine part.
private struct Five {
    let y0: ComplexLanes, y1: ComplexLanes, y2: ComplexLanes, y3: ComplexLanes, y4: ComplexLanes

    @inline(__always) init(_ from: ComplexBuffer, _ step: Int) {
        let cos1 = D(repeating: 0.30901699437494742), cos2 = D(repeating: -0.80901699437494742)
        let sin1 = D(repeating: 0.95105651629515357), minusSin1 = D(repeating: -0.95105651629515357)
        let sin2 = D(repeating: 0.58778525229247313)
        let a = from[0], b = from[step], c = from[2 &* step], d = from[3 &* step], e = from[4 &* step]
        let sum1 = b + e, difference1 = b - e, sum2 = c + d, difference2 = c - d
        y0 = a + sum1 + sum2
        let even1 = a.adding(sum1, times: cos1).adding(sum2, times: cos2)
        let even2 = a.adding(sum1, times: cos2).adding(sum2, times: cos1)
        let odd1 = (difference1 * sin1).adding(difference2, times: sin2)
        let odd2 = (difference1 * sin2).adding(difference2, times: minusSin1)
        y1 = even1.minusI(odd1)
        y4 = even1.plusI(odd1)
        y2 = even2.minusI(odd2)
        y3 = even2.plusI(odd2)
    }
}

@inline(__always) private func radix5(
    _ x: ComplexBuffer, _ y: ComplexBuffer, _ count: Int, _ stride: Int, _ twiddles: UnsafePointer<Double>
) {
    let step = count &* stride
    var p = 0
    while p < count {
        let w = twiddles + 8 &* p
        var q = 0
        while q < stride {
            let to = y + (q &+ stride &* 5 &* p)
            let five = Five(x + (q &+ stride &* p), step)
            to[0] = five.y0
            to[stride] = five.y1.times(w)
            to[2 &* stride] = five.y2.times(w + 2)
            to[3 &* stride] = five.y3.times(w + 4)
            to[4 &* stride] = five.y4.times(w + 6)
            q &+= 1
        }
        p &+= 1
    }
}

/// The last stage: all its twiddles are one.
@inline(__always) private func lastRadix5(
    _ x: ComplexBuffer, _ y: ComplexBuffer, _ stride: Int, _ twiddles: UnsafePointer<Double>
) {
    var q = 0
    while q < stride {
        let to = y + q
        let five = Five(x + q, stride)
        to[0] = five.y0
        to[stride] = five.y1
        to[2 &* stride] = five.y2
        to[3 &* stride] = five.y3
        to[4 &* stride] = five.y4
        q &+= 1
    }
}

/// By the definition: radix² operations a butterfly.
@inline(__always) private func anyRadix(
    _ radix: Int, _ x: ComplexBuffer, _ y: ComplexBuffer, _ count: Int, _ stride: Int,
    _ twiddles: UnsafePointer<Double>
) {
    let step = count &* stride
    let roots = twiddles + 2 &* count &* (radix &- 1)
    var p = 0
    while p < count {
        let w = twiddles + 2 &* (radix &- 1) &* p
        var q = 0
        while q < stride {
            let from = x + (q &+ stride &* p), to = y + (q &+ stride &* radix &* p)
            var j = 0
            while j < radix {
                var sum = from[0]
                var k = 1
                while k < radix {
                    sum = sum + from[step &* k].times(roots + 2 &* (j &* k % radix))
                    k &+= 1
                }
                to[stride &* j] = j == 0 ? sum : sum.times(w + 2 &* (j &- 1))
                j &+= 1
            }
            q &+= 1
        }
        p &+= 1
    }
}
