import Glibc

/// Turns sound down around peaks beyond full scale, smoothly and ahead of them, so that none is cut off.
///
/// Sample n alone would need the gain r(n) = min(1, ceiling/|x(n)|). The gain is the minimum of r within ± `reach`
/// samples, averaged with a Hann window of the same reach: each of the averaged minima is at most r(n), and so is their
/// average. Sound below the ceiling, farther than 2·reach from any peak, is left bit for bit.
public struct Limiter: Sendable {
    /// The largest 16-bit sample, so that writing one clips nothing either.
    public static let fullScale: Float = 32767 / 32768

    public var ceiling: Float
    /// Samples by which the gain moves ahead of a peak and lags behind it: 5 ms.
    public var reach: Int

    public init(ceiling: Float = fullScale, reach: Int = 80) {
        precondition(ceiling > 0 && reach > 0, "a limiter needs a ceiling and a reach")
        self.ceiling = ceiling
        self.reach = reach
    }

    /// Limits `samples`.
    /// - Returns: the smallest gain that was needed; 1 where nothing was.
    @discardableResult
    public func apply(to samples: inout [Float]) -> Float {
        guard samples.contains(where: { abs($0) > ceiling }) else { return 1 }
        let needed = samples.map { abs($0) > ceiling ? ceiling / abs($0) : 1 }
        let held = slidingMinimum(needed)
        let weights = hann()
        var smallest: Float = 1
        for index in samples.indices {
            // 1 − Σ w·(1 − m) and not Σ w·m, which is 1 only nearly where nothing is to be done.
            var reduction: Float = 0
            for offset in -reach...reach {
                let place = min(max(index + offset, 0), samples.count - 1)
                if held[place] < 1 { reduction += weights[offset + reach] * (1 - held[place]) }
            }
            guard reduction > 0 else { continue }
            smallest = min(smallest, 1 - reduction)
            // The average may be a rounding error too large.
            samples[index] = min(max(samples[index] * (1 - reduction), -ceiling), ceiling)
        }
        return smallest
    }

    /// The minimum of `values` within ± reach of each place: candidates wait in a queue that ascends in value.
    private func slidingMinimum(_ values: [Float]) -> [Float] {
        var result = [Float](repeating: 1, count: values.count)
        var queue: [Int] = []
        var head = 0
        var next = 0
        for place in values.indices {
            while next < values.count, next <= place + reach {
                while queue.count > head, let last = queue.last, values[last] >= values[next] { queue.removeLast() }
                queue.append(next)
                next += 1
            }
            while queue[head] < place - reach { head += 1 }
            result[place] = values[queue[head]]
        }
        return result
    }

    /// 2·reach + 1 weights with the sum 1.
    private func hann() -> [Float] {
        let weights = (-reach...reach).map { (1 + cos(Float.pi * Float($0) / Float(reach + 1))) / 2 }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }
}
