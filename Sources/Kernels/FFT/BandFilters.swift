import CVectors

/// Weighted sums over neighbouring bins of a spectrum, such as mel filters; most weights of most bands are zero and not kept.
public struct BandFilters: Sendable {
    public var bands: Int { counts.count }
    /// One more than the last bin that any of them reads.
    let reach: Int
    private let firstBins: [Int32]
    private let counts: [Int32]
    private let weights: [Double]

    /// A band a filter: `weights` for the bins from `firstBin` on.
    public init(_ filters: [(firstBin: Int, weights: [Double])]) {
        firstBins = filters.map { Int32($0.firstBin) }
        counts = filters.map { Int32($0.weights.count) }
        weights = filters.flatMap(\.weights)
        reach = filters.map { $0.firstBin + $0.weights.count }.max() ?? 0
    }

    /// Hands the filters to a kernel, which may read them until `body` returns.
    func withFilters<R>(_ body: (UnsafePointer<band_filters>) -> R) -> R {
        firstBins.withUnsafeBufferPointer { first in
            counts.withUnsafeBufferPointer { counts in
                weights.withUnsafeBufferPointer { weights in
                    var filters = band_filters(
                        bands: counts.count, first_bins: first.baseAddress ?? UnsafePointer(bitPattern: 8)!,
                        counts: counts.baseAddress ?? UnsafePointer(bitPattern: 8)!,
                        weights: weights.baseAddress ?? UnsafePointer(bitPattern: 8)!)
                    return withUnsafePointer(to: &filters, body)
                }
            }
        }
    }

    /// Σ weight · power of each band, in plain loops.
    func applied(to power: [Double]) -> [Double] {
        var from = 0
        return zip(firstBins, counts).map { first, count in
            defer { from += Int(count) }
            return (0..<Int(count)).reduce(0) { $0 + weights[from + $1] * power[Int(first) + $1] }
        }
    }
}
