import Foundation

/// The figures of a label, from frames with weights: a frame stands for `weight` frames of the data.
enum LabelFigures {
    /// What lies above a threshold.
    struct Above {
        /// By class, of the frames above.
        var weights: [Double]
        var total = 0.0
        /// Frames of the sample.
        var count = 0
    }

    /// The share of `label` among what is above the threshold, and the share of it that is above.
    static func precisionAndRecall(_ above: Above, label: Int, ofAll: Double) -> (precision: Double, recall: Double) {
        (
            above.total > 0 ? above.weights[label] / above.total : .nan,
            ofAll > 0 ? above.weights[label] / ofAll : .nan
        )
    }

    /// The share of the weight that one class has.
    static func share(of label: Int, in weights: [Double]) -> Double { weights[label] / weights.reduce(0, +) }

    /// The harmonic mean of precision and recall; 0 where both are 0.
    static func f1(_ precision: Double, _ recall: Double) -> Double {
        precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall)
    }

    /// 1 − H(class | above) / H(class): 1 where all that is above is one class, 0 where it is as mixed as the data,
    /// below where it is more so. NaN where the data has one class alone.
    static func selectivity(above: [Double], all: [Double]) -> Double {
        let whole = entropy(all)
        return whole > 0 ? 1 - entropy(above) / whole : .nan
    }

    /// Shannon's entropy in bits of a distribution that is not normalised.
    static func entropy(_ weights: [Double]) -> Double {
        let total = weights.reduce(0, +)
        guard total > 0 else { return .nan }
        return weights.reduce(0) { sum, weight in
            weight > 0 ? sum - weight / total * log2(weight / total) : sum
        }
    }

    /// The mutual information in bits of two variables, from their joint weights [rows, columns], less the bias of the
    /// plug-in estimate to first order, (r − 1)(c − 1) / (2 N ln 2) (Miller 1955; r and c count what occurs, N frames),
    /// and 0 where that leaves less.
    static func mutualInformation(_ joint: UnsafeBufferPointer<Double>, rows: Int, columns: Int, frames: Int) -> Double
    {
        var (byRow, byColumn) = ([Double](repeating: 0, count: rows), [Double](repeating: 0, count: columns))
        for row in 0..<rows {
            for column in 0..<columns {
                byRow[row] += joint[row * columns + column]
                byColumn[column] += joint[row * columns + column]
            }
        }
        let total = byRow.reduce(0, +)
        guard total > 0, frames > 0 else { return .nan }
        var sum = 0.0
        for row in 0..<rows {
            for column in 0..<columns where joint[row * columns + column] > 0 {
                let weight = joint[row * columns + column]
                sum += weight * log2(weight * total / (byRow[row] * byColumn[column]))
            }
        }
        let degrees = Double((byRow.count { $0 > 0 } - 1) * (byColumn.count { $0 > 0 } - 1))
        return max(0, sum / total - degrees / (2 * Double(frames) * log(2)))
    }

    /// The probability that a frame with the label has a larger value than one without, ties counted half (Mann and
    /// Whitney's U), by weights. Frames come in ascending order; `tie` says whether a value equals the one before.
    struct AreaUnderCurve {
        private var (below, ties, area) = (0.0, 0.0, 0.0)
        private var (positives, negatives) = (0.0, 0.0)
        private var pendingPositives = 0.0

        mutating func add(_ weight: Double, isPositive: Bool, tie: Bool) {
            if !tie { settle() }
            if isPositive { pendingPositives += weight } else { ties += weight }
        }

        private mutating func settle() {
            area += pendingPositives * (below + ties / 2)
            below += ties
            positives += pendingPositives
            negatives += ties
            (ties, pendingPositives) = (0, 0)
        }

        /// NaN where there is nothing on one of the sides.
        var value: Double {
            var copy = self
            copy.settle()
            return copy.positives > 0 && copy.negatives > 0 ? copy.area / (copy.positives * copy.negatives) : .nan
        }
    }

    /// Precision along the recall, from the largest value down; equal values come together, and all by weights.
    ///
    /// Frames come in descending order; `tie` says whether a value equals the one before.
    struct PrecisionCurve {
        /// The weight of all frames with the label.
        let positives: Double
        /// Where ``precisionAtRecall`` is taken: at the largest value above or at which so much of the label lies, and so
        /// many frames.
        let recall: Double
        let minimum: Int
        private var (right, all, count) = (0.0, 0.0, 0)
        private var (tiedRight, tiedAll) = (0.0, 0.0)
        private var (average, matched) = (0.0, Double.nan)

        init(positives: Double, recall: Double, minimum: Int) {
            (self.positives, self.recall, self.minimum) = (positives, recall, minimum)
        }

        mutating func add(_ weight: Double, isPositive: Bool, tie: Bool) {
            if !tie { settle() }
            tiedAll += weight
            if isPositive { tiedRight += weight }
            count += 1
        }

        private mutating func settle() {
            guard tiedAll > 0 else { return }
            right += tiedRight
            all += tiedAll
            average += tiedRight / positives * (right / all)
            // Sums of weights that are no whole numbers are rounded.
            if matched.isNaN, count >= minimum, right >= recall * positives * (1 - 1e-12) { matched = right / all }
            (tiedRight, tiedAll) = (0, 0)
        }

        /// Average precision, the sum over values of precision × gain of recall; its chance level is the label's share of
        /// all frames. And the precision at ``recall``. NaN where no frame has the label.
        var value: (average: Double, atRecall: Double) {
            var copy = self
            copy.settle()
            return positives > 0 ? (copy.average, copy.matched) : (.nan, .nan)
        }
    }

    /// (1 + draws that are no smaller) / (1 + draws): the p-value of a permutation test (Phipson and Smyth 2010).
    static func pValue(noSmaller: Int, of draws: Int) -> Double { Double(1 + noSmaller) / Double(1 + draws) }
}
