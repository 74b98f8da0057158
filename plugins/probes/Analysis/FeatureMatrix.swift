import Foundation

/// Rows of features, [count, features], row-major.
struct FeatureMatrix: Sendable {
    let count: Int
    let features: Int
    private(set) var values: [Double]

    init(features: Int, values: [Double]) {
        precondition(features > 0 && values.count % features == 0, "whole rows")
        self.count = values.count / features
        self.features = features
        self.values = values
    }

    func withRow<Result>(_ row: Int, _ body: (UnsafeBufferPointer<Double>) -> Result) -> Result {
        values.withUnsafeBufferPointer { values in
            body(UnsafeBufferPointer(rebasing: values[(row * features)..<((row + 1) * features)]))
        }
    }

    /// Only the rows that `indices` names, in that order.
    func rows(_ indices: [Int]) -> FeatureMatrix {
        var chosen: [Double] = []
        chosen.reserveCapacity(indices.count * features)
        for index in indices { chosen += values[(index * features)..<((index + 1) * features)] }
        return FeatureMatrix(features: features, values: chosen)
    }
}

/// What is subtracted from each feature, and what it is divided by.
struct Standardisation: Sendable, Equatable {
    let mean: [Double]
    /// Over n, not n − 1; 1 for a feature that does not change.
    let deviation: [Double]

    /// Mean and standard deviation of each feature over `rows`: the training rows, and no other.
    init(over rows: FeatureMatrix) {
        let count = Double(max(rows.count, 1))
        var mean = [Double](repeating: 0, count: rows.features)
        for row in 0..<rows.count {
            rows.withRow(row) { values in for index in values.indices { mean[index] += values[index] / count } }
        }
        var variance = [Double](repeating: 0, count: rows.features)
        for row in 0..<rows.count {
            rows.withRow(row) { values in
                for index in values.indices {
                    variance[index] += (values[index] - mean[index]) * (values[index] - mean[index]) / count
                }
            }
        }
        self.mean = mean
        // Float32's rounding of a constant is not a spread.
        self.deviation = zip(variance, mean).map { variance, mean in
            variance.squareRoot() > 1e-6 * max(abs(mean), 1e-30) ? variance.squareRoot() : 1
        }
    }

    func apply(_ rows: FeatureMatrix) -> FeatureMatrix {
        var values = rows.values
        for row in 0..<rows.count {
            for index in 0..<rows.features {
                let place = row * rows.features + index
                values[place] = (values[place] - mean[index]) / deviation[index]
            }
        }
        return FeatureMatrix(features: rows.features, values: values)
    }
}
