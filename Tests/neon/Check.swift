// The kernels of aarch64 against plain loops, compiled into one module with them, for `scripts/check-neon.sh`. Embedded Swift: no
// Foundation, no test library; main.c prints what comes out.

import CVectors

private struct Random {
    var state: UInt64
    /// −1 ..< 1
    mutating func next() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 33)) / 1_073_741_824 - 1
    }
    mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }
}

private func worst(_ a: [Float], _ b: [Double]) -> Double {
    var worst = 0.0
    for (x, y) in zip(a, b) {
        let difference = (Double(x) - y).magnitude
        if !(difference <= worst) { worst = difference }
    }
    return worst
}

/// The largest error of products, over panels of float32 and of half precision, and whether both and a row alone are the same to the bit.
@_cdecl("check_product")
func checkProduct() -> Double {
    var random = Random(state: 1)
    var largest = 0.0
    for (rows, columns, depth) in [(1, 1, 1), (9, 13, 40), (17, 8, 385), (5, 70, 3)] {
        let a = random.floats(rows * depth)
        // Sixty-fourths: half precision has them.
        let b = random.floats(columns * depth).map { ($0 * 64).rounded() / 64 }
        let bias = random.floats(columns + panelWidth)
        let padded = (columns + panelWidth - 1) / panelWidth * panelWidth
        var panels = [Float](repeating: 0, count: padded * depth)
        var halves = [UInt16](repeating: 0, count: padded * depth)
        pack(b, ldb: depth, depth: depth, columns: columns, transposed: true, into: &panels)
        guard packHalves(b, depth: depth, columns: columns, into: &halves) else { return .infinity }
        var c = [Float](repeating: 0, count: rows * columns), d = c
        var room = [Float](repeating: 0, count: widenedCount)
        product(
            rows: rows, columns: columns, depth: depth, a, lda: depth, panels: panels, start: bias, into: &c,
            ldc: columns,
            accumulating: false)
        productOfHalves(
            rows: rows, columns: columns, depth: depth, a, lda: depth, panels: halves, start: bias, into: &d,
            ldc: columns,
            accumulating: false, room: &room)
        var expected: [Double] = []
        for i in 0..<rows {
            var alone = [Float](repeating: 0, count: columns)
            a.withUnsafeBufferPointer {
                vectorProduct(
                    columns: columns, depth: depth, $0.baseAddress! + i * depth, panels: panels, start: bias,
                    into: &alone,
                    accumulating: false)
            }
            for j in 0..<columns {
                var sum = Double(bias[j])
                for k in 0..<depth { sum += Double(a[i * depth + k]) * Double(b[j * depth + k]) }
                expected.append(sum)
                guard c[i * columns + j] == d[i * columns + j], alone[j] == c[i * columns + j] else { return .infinity }
            }
        }
        largest = max(largest, worst(c, expected))
    }
    return largest
}

/// Numbers of half precision and back, all of them: how many are not what they were.
@_cdecl("check_halves")
func checkHalves() -> Double {
    var wrong = 0.0
    for first in stride(from: 0, to: 65_536, by: lanes) {
        let halves = (0..<lanes).map { UInt16(first + $0) }
        let wide = halves.withUnsafeBufferPointer { widen($0.baseAddress!) }
        let again = narrow(wide)
        for lane in 0..<lanes {
            let value = Float(Float16(bitPattern: halves[lane]))
            if value.isNaN {
                if !wide[lane].isNaN { wrong += 1 }
            } else if wide[lane].bitPattern != value.bitPattern || again[lane] != halves[lane] {
                wrong += 1
            }
        }
    }
    return wrong
}

/// The largest error of a layer normalisation, relative to its largest value.
@_cdecl("check_layer_norm")
func checkLayerNorm() -> Double {
    var random = Random(state: 2)
    let count = 51
    let x = random.floats(count).map { $0 + 3 }, gain = random.floats(count), bias = random.floats(count)
    var y = [Float](repeating: 0, count: count)
    layerNorm(x, into: &y, count: count, epsilon: 1e-5, gain: gain, bias: bias)
    let mean = x.reduce(0.0) { $0 + Double($1) } / Double(count)
    let variance = x.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(count)
    let scale = 1 / (variance + 1e-5).squareRoot()
    return worst(y, (0..<count).map { (Double(x[$0]) - mean) * scale * Double(gain[$0]) + Double(bias[$0]) })
}

/// How far a softmax is from summing to one, and from giving its elements the ratio e.
@_cdecl("check_softmax")
func checkSoftmax() -> Double {
    var x = (0..<19).map { -Float($0) }
    softmax(&x, count: 19)
    var error = (x.reduce(0.0) { $0 + Double($1) } - 1).magnitude
    for i in 1..<19 { error = max(error, (Double(x[i - 1]) / Double(x[i]) - 2.718281828459045).magnitude / 3) }
    return error
}

/// How far GELU is from x Φ(x) at a few numbers.
@_cdecl("check_gelu")
func checkGELU() -> Double {
    var x: [Float] = [0, 1, -1, 2, -2, 0.5, 30]
    gelu(&x, count: x.count)
    return worst(
        x, [0, 0.841344746068543, -0.158655253931457, 1.95449973610364, -0.0455002638963584, 0.345731230637254, 30])
}

/// The largest error of power spectra of Whisper's frames, relative to a frame's energy.
@_cdecl("check_spectrum")
func checkSpectrum() -> Double {
    var random = Random(state: 3)
    let size = 400, points = 200, frames = 3
    let samples = random.floats(160 * frames + size), window = random.floats(size)
    // Roots of unity by repeated products, in double: good to 1e-13.
    func root(_ k: Int, _ n: Int) -> (Double, Double) {
        // cos and sin by their series, of an angle below π / 4 after halving three times.
        let angle = -2 * Double.pi * Double(k % n) / Double(n) / 64
        var (c, s, term) = (0.0, 0.0, 1.0)
        for i in 0..<20 {
            switch i % 4 {
            case 0: c += term
            case 1: s += term
            case 2: c -= term
            default: s -= term
            }
            term *= angle / Double(i + 1)
        }
        for _ in 0..<6 { (c, s) = (c * c - s * s, 2 * c * s) }
        return (c, s)
    }
    let radices = [8, 5, 5]
    var twiddles: [Double] = [], halves: [Double] = []
    var n = points
    for radix in radices {
        let count = n / radix
        for p in 0..<count { for j in 1..<radix { let w = root(j * p, n); twiddles += [w.0, w.1] } }
        for k in 0..<radix { let w = root(k, radix); twiddles += [w.0, w.1] }
        n = count
    }
    for k in 0...size / 4 { let w = root(k, size); halves += [w.0, w.1] }
    var error = 0.0
    window.withUnsafeBufferPointer { window in
        radices.withUnsafeBufferPointer { radices in
            twiddles.withUnsafeBufferPointer { twiddles in
                halves.withUnsafeBufferPointer { halves in
                    var plan = spectrum_plan(
                        size: size, window: window.baseAddress!, points: points, stages: 3,
                        radices: radices.baseAddress!, twiddles: twiddles.baseAddress!,
                        half_twiddles: halves.baseAddress!)
                    var scratch = [D](repeating: D(repeating: 0), count: spectrumScratch(&plan) / doubleLanes)
                    var out = [Double](repeating: 0, count: frames * 201)
                    scratch.withUnsafeMutableBytes {
                        powerSpectra(
                            samples, hop: 160, frames: frames, &plan,
                            scratch: $0.baseAddress!.assumingMemoryBound(to: Double.self), into: &out, stride: 201)
                    }
                    for frame in 0..<frames {
                        let x = (0..<size).map { Double(samples[160 * frame + $0] * window[$0]) }
                        let energy = x.reduce(0) { $0 + $1 * $1 } * Double(size)
                        for k in 0...200 {
                            var (re, im) = (0.0, 0.0)
                            for t in 0..<size {
                                let w = root(k * t, size)
                                re += x[t] * w.0
                                im += x[t] * w.1
                            }
                            error = max(error, (out[frame * 201 + k] - (re * re + im * im)).magnitude / energy)
                        }
                    }
                }
            }
        }
    }
    return error
}
