// Power spectra of windowed frames of a signal, and weighted sums over their bins.

import CVectors

/// Doubles of scratch memory that a spectrum of this plan needs.
public func spectrumScratch(_ plan: UnsafePointer<spectrum_plan>) -> Int {
    doubleLanes &* (4 &* plan.pointee.points &+ plan.pointee.size / 2 &+ 1)
}

/// Frames whose bands are gathered before they are written: rows of a spectrogram lie kilobytes apart, and a few numbers in each of them
/// at a time would touch more pages than a processor keeps addresses of.
private let gatheredFrames = 32

/// |X[k]|², k ≤ size / 2, of `frames` frames that follow each other at `hop` samples: out[frame · stride + k].
///
/// - Parameter scratch: ``spectrumScratch(_:)`` doubles, 64-byte aligned.
public func powerSpectra(
    _ samples: UnsafePointer<Float>, hop: Int, frames: Int, _ plan: UnsafePointer<spectrum_plan>,
    scratch: UnsafeMutablePointer<Double>, into out: UnsafeMutablePointer<Double>, stride: Int
) {
    let bins = plan.pointee.size / 2 &+ 1
    var first = 0
    while first < frames {
        let count = min(doubleLanes, frames &- first)
        let power = spectrum(samples + first &* hop, hop, count, plan, scratch)
        var lane = 0
        while lane < count {
            let row = out + (first &+ lane) &* stride
            var k = 0
            while k < bins {
                row[k] = power[k][lane]
                k &+= 1
            }
            lane &+= 1
        }
        first &+= doubleLanes
    }
}

/// Σ weight · power over each band's bins: out[band · stride + frame]. Returns the largest of the values; 0 where none is above.
///
/// A frame's values depend on its own samples only, to the last bit, wherever it stands. The other parameters are
/// ``powerSpectra(_:hop:frames:_:scratch:into:stride:)``'s.
///
/// - Parameter gathered: room for 32 floats a band.
public func bandPower(
    _ samples: UnsafePointer<Float>, hop: Int, frames: Int, _ plan: UnsafePointer<spectrum_plan>,
    _ filters: UnsafePointer<band_filters>, scratch: UnsafeMutablePointer<Double>,
    gathered: UnsafeMutablePointer<Float>, into out: UnsafeMutablePointer<Float>, stride: Int
) -> Float {
    let bands = filters.pointee.bands, size = plan.pointee.size
    var peaks = floats(D(repeating: 0))
    var first = 0
    while first < frames {
        let some = min(gatheredFrames, frames &- first)
        var at = 0
        while at < some {
            let count = min(doubleLanes, some &- at)
            let from = samples + (first &+ at) &* hop
            // Digital silence is common, padding above all, and its power is exactly zero.
            if isSilent(from, (count &- 1) &* hop &+ size) {
                var band = 0
                while band < bands {
                    store(floats(D(repeating: 0)), gathered + (band &* gatheredFrames &+ at))
                    band &+= 1
                }
            } else {
                let power = spectrum(from, hop, count, plan, scratch)
                sumBands(power, filters, into: gathered + at, &peaks)
            }
            at &+= doubleLanes
        }
        var band = 0
        while band < bands {
            let from = gathered + band &* gatheredFrames, to = out + (band &* stride &+ first)
            var i = 0
            while i &+ lanes <= some {
                store(load(from + i), to + i)
                i &+= lanes
            }
            while i < some {
                to[i] = from[i]
                i &+= 1
            }
            band &+= 1
        }
        first &+= gatheredFrames
    }
    var peak: Float = 0
    var lane = 0
    while lane < doubleLanes {
        if peak < peaks[lane] { peak = peaks[lane] }
        lane &+= 1
    }
    return peak
}

/// The bands of `doubleLanes` frames, the first of each at `out`, 32 floats apart; raises `peaks` to their values.
@inline(__always) private func sumBands(
    _ power: UnsafePointer<D>, _ filters: UnsafePointer<band_filters>, into out: UnsafeMutablePointer<Float>,
    _ peaks: inout DFloats
) {
    let bands = filters.pointee.bands
    let firstBins = filters.pointee.first_bins, counts = filters.pointee.counts
    var weights = filters.pointee.weights
    var largest = peaks
    var band = 0
    while band < bands {
        let bins = power + Int(firstBins[band])
        let width = Int(counts[band])
        var sum = D(repeating: 0)
        var bin = 0
        while bin < width {
            sum = fma(D(repeating: weights[bin]), bins[bin], sum)
            bin &+= 1
        }
        weights += width
        let values = floats(sum)
        largest = largest.replacing(with: values, where: largest .< values)
        store(values, out + band &* gatheredFrames)
        band &+= 1
    }
    peaks = largest
}

@inline(__always) private func store(_ values: DFloats, _ out: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(out).storeBytes(of: values, as: DFloats.self)
}

@inline(__always) private func isSilent(_ samples: UnsafePointer<Float>, _ count: Int) -> Bool {
    var i = 0
    while i < count {
        if samples[i] != 0 { return false }
        i &+= 1
    }
    return true
}

/// The power spectra of up to `doubleLanes` frames, a frame a lane; lanes left over hold the last frame's again.
///
/// An even size n is done as a complex transform of n/2 points, z[t] = x[2t] + i·x[2t+1], whose spectrum Z gives
/// X[k] = ½(Z[k] + Z̄[h−k]) − ½i·exp(−2πi·k/n)·(Z[k] − Z̄[h−k]), h = n/2 (Sorensen et al. 1987); an odd size as a
/// complex transform with no imaginary part. Packing two *frames* into one complex transform would be as fast, but then
/// a loud frame's rounding error leaks into a quiet one, and a frame's value depends on where its block starts.
@inline(__always) private func spectrum(
    _ samples: UnsafePointer<Float>, _ hop: Int, _ frames: Int, _ plan: UnsafePointer<spectrum_plan>,
    _ scratch: UnsafeMutablePointer<Double>
) -> UnsafeMutablePointer<D> {
    let size = plan.pointee.size, points = plan.pointee.points
    let x = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: ComplexLanes.self)
    let power = UnsafeMutableRawPointer(x + 2 &* points).assumingMemoryBound(to: D.self)
    gather(samples, hop, frames, size, plan.pointee.window, scratch)
    let z = transform(
        x, x + points, points: points, stages: plan.pointee.stages, plan.pointee.radices, plan.pointee.twiddles)
    if size & 1 == 0 {
        unpack(z, size / 2, plan.pointee.half_twiddles, power)
    } else {
        var k = 0
        while k <= size / 2 {
            power[k] = z[k].squaredMagnitude
            k &+= 1
        }
    }
    return power
}

/// Windows the frames and transposes them, a frame a lane. Samples and window are float32 and so is their product, as in torch;
/// the rest is double.
@inline(__always) private func gather(
    _ samples: UnsafePointer<Float>, _ hop: Int, _ frames: Int, _ size: Int, _ window: UnsafePointer<Float>,
    _ out: UnsafeMutablePointer<Double>
) {
    let isEven = size & 1 == 0
    var t = 0
    if isEven {
        while t &+ 4 <= size {
            windowed(samples + t, hop: hop, signals: frames, window + t, into: out + t &* doubleLanes)
            t &+= 4
        }
    }
    while t < size {
        let to = out + (isEven ? t : 2 &* t) &* doubleLanes
        var lane = 0
        while lane < doubleLanes {
            to[lane] = Double(samples[t &+ hop &* min(lane, frames &- 1)] * window[t])
            if !isEven { to[doubleLanes &+ lane] = 0 }
            lane &+= 1
        }
        t &+= 1
    }
}

/// Splits the half-size transform of the packed signal; k and h − k come out of the same two values.
@inline(__always) private func unpack(
    _ z: ComplexBuffer, _ h: Int, _ twiddles: UnsafePointer<Double>, _ power: UnsafeMutablePointer<D>
) {
    let even = z[0].re, odd = z[0].im
    power[0] = (even + odd) * (even + odd)
    power[h] = (even - odd) * (even - odd)
    // Of doubled values, since a quarter is exact.
    let quarter = D(repeating: 0.25)
    var k = 1
    while k <= h / 2 {
        let a = z[k], b = z[h &- k]
        let even = ComplexLanes(a.re + b.re, a.im - b.im)
        let odd = ComplexLanes(a.im + b.im, b.re - a.re).times(twiddles + 2 &* k)
        // X[k] = even + odd and X[h−k] is the conjugate of even − odd.
        power[k] = (even + odd).squaredMagnitude * quarter
        power[h &- k] = (even - odd).squaredMagnitude * quarter
        k &+= 1
    }
}
