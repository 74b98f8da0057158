import Foundation

/// Samples of one quantity, and what they say.
public struct Measurement: Sendable {
    public var name: String
    public var unit: String
    /// What else is to be known: what was computed, or why there are no samples.
    public var note: String
    public var samples: [Double]
    /// Beside what it was measured, in the same rounds.
    public var comparison: Comparison?
    /// The same quantity at the machine's measured limit, in the same unit: a time is at least this.
    public var ideal: Double?
    /// Whether single samples are of interest, so that the 95th and 99th percentile are told: latencies.
    public var isLatency: Bool

    /// This quantity divided by another's, round by round.
    public struct Comparison: Sendable {
        public var reference: String
        /// What a table calls it.
        public var label: String
        public var ratios: [Double]
    }

    public init(
        name: String, unit: String, note: String = "", samples: [Double], ideal: Double? = nil, isLatency: Bool = false
    ) {
        self.name = name
        self.unit = unit
        self.note = note
        self.samples = samples
        self.ideal = ideal
        self.isLatency = isLatency
    }

    public var median: Double { Statistics.quantile(0.5, of: samples) }
    public var p95: Double { Statistics.quantile(0.95, of: samples) }
    public var p99: Double { Statistics.quantile(0.99, of: samples) }
    /// Half of the samples lie between these.
    public var quartiles: (Double, Double) { Statistics.quartiles(of: samples) }
    /// How many times the limit.
    public var timesIdeal: Double? { ideal.flatMap { $0 > 0 && !samples.isEmpty ? median / $0 : nil } }

    /// This beside `other`, whose samples are of the same rounds; rounds that one of them lacks are left out.
    public func compared(to other: Measurement, label: String? = nil) -> Measurement {
        var copy = self
        let ratios = zip(samples, other.samples).map { $0 / $1 }
        copy.comparison =
            ratios.isEmpty ? nil : Comparison(reference: other.name, label: label ?? other.name, ratios: ratios)
        return copy
    }
}

/// Order statistics, which a few disturbed rounds do not move.
public enum Statistics {
    /// The quantile `q` ∈ 0 … 1, between neighbours by straight lines (Hyndman and Fan's type 7); NaN of nothing.
    public static func quantile(_ q: Double, of samples: [Double]) -> Double {
        let sorted = samples.sorted()
        guard !sorted.isEmpty else { return .nan }
        let place = min(max(q, 0), 1) * Double(sorted.count - 1)
        let low = Int(place)
        let high = min(low + 1, sorted.count - 1)
        return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
    }

    public static func median(of samples: [Double]) -> Double { quantile(0.5, of: samples) }

    public static func quartiles(of samples: [Double]) -> (Double, Double) {
        (quantile(0.25, of: samples), quantile(0.75, of: samples))
    }
}

/// Seconds that `body` takes.
func seconds(_ body: () throws -> Void) rethrows -> Double {
    let began = ContinuousClock.now
    try body()
    return (ContinuousClock.now - began) / .seconds(1)
}

func seconds(_ body: () async throws -> Void) async rethrows -> Double {
    let began = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - began) / .seconds(1)
}
