/// Names a feature on the one part of the frames, and scores the name on the other. For one kind of label.
///
/// 1. The threshold θ is a quantile of the feature's values on the naming part: the smallest value such that this share of
///    the frames is not above it. The feature listens where it is above θ, on both parts.
/// 2. The lag is that at which the feature and the labels have the most mutual information on the naming part, in eight
///    ranges of equally many frames; of equals the one nearest to 0.
/// 3. The label is the one with the highest precision among the frames above θ on the naming part, at that lag, of
///    those whose precision is at least `lift` times their share of all the part's frames; of equals the first by name.
///    So what nearly all frames have names nothing, and hides nothing that the feature does listen to.
/// 4. On the scoring part: precision, base, lift, recall, F1; over all thresholds average precision, AUC, and the
///    precision at a recall that is the same for all; mutual information, selectivity.
/// 5. The p-value is of the precision of that one label on the scoring part: see ``LabelNull``.
struct Labelling {
    let task: LabelTask
    let settings: LabelSettings
    /// Values on each part in eight ranges.
    static let ranges = 8

    // [part][class] weights, at each lag.
    private let totals: [[[Double]]]
    private let null: LabelNull

    init(_ task: LabelTask, _ settings: LabelSettings) {
        self.task = task
        self.settings = settings
        totals = task.classes.map { parts in
            parts.enumerated().map { part, classes in
                var sums = [Double](repeating: 0, count: task.classCount)
                for (place, number) in classes.enumerated() { sums[Int(number)] += task.weights[part][place] }
                return sums
            }
        }
        null = LabelNull(task, settings)
    }

    /// Whether there is anything to name and to score with.
    var isPossible: Bool {
        !task.names.isEmpty && task.rows.allSatisfy { $0.count >= settings.minimum } && null.isPossible
    }

    /// - Parameters:
    ///   - values: of one feature, mirrored where the side is: a key for each row of the sample, which sorts as values
    ///     do, and equal keys for equal values.
    func label(_ values: FeatureColumn) -> (label: Int, lag: Int, figures: Figures)? {
        let parts = [values.part(task.rows[0]), values.part(task.rows[1])]
        let threshold = threshold(parts[0])
        let lag = bestLag(parts[0])
        let named = above(parts[0], threshold, part: 0, lag: lag)
        guard named.count >= settings.minimum,
            let label = task.names.indices.filter({ isCandidate($0, named, lag) })
                .max(by: { named.weights[$0] < named.weights[$1] })
        else { return nil }
        let scored = above(parts[1], threshold, part: 1, lag: lag)
        guard scored.count >= settings.minimum else { return nil }
        let (precision, recall) = LabelFigures.precisionAndRecall(
            scored, label: label, ofAll: totals[lag][1][label])
        let base = LabelFigures.share(of: label, in: totals[lag][1])
        let above = parts[1].keys.indices.filter { parts[1].keys[$0] > threshold }
        let curve = precisionCurve(parts[1], label, lag: lag)
        let figures = Figures(
            threshold: threshold, averagePrecision: curve.average, precisionAtRecall: curve.atRecall,
            precision: precision, recall: recall, f1: LabelFigures.f1(precision, recall),
            areaUnderCurve: areaUnderCurve(parts[1], label, lag: lag),
            mutualInformation: mutualInformation(parts[1], part: 1, lag: lag),
            selectivity: LabelFigures.selectivity(above: scored.weights, all: totals[lag][1]),
            pValue: null.pValue(above: above, label: label, lag: lag, precision), base: base, lift: precision / base,
            namedFrames: named.count, scoredFrames: scored.count, namedPrecision: named.weights[label] / named.total)
        return (label, lag, figures)
    }

    struct Figures {
        /// A key, as of the values.
        let threshold: UInt16
        let averagePrecision, precisionAtRecall: Double
        let precision, recall, f1, areaUnderCurve, mutualInformation, selectivity, pValue, base, lift: Double
        let namedFrames, scoredFrames: Int
        let namedPrecision: Double
    }

    private func isCandidate(_ label: Int, _ named: LabelFigures.Above, _ lag: Int) -> Bool {
        guard named.weights[label] > 0 else { return false }
        return settings.isLift(
            named.weights[label] / named.total / LabelFigures.share(of: label, in: totals[lag][0]))
    }

    /// The smallest value such that `quantile` of the weight is not above it.
    private func threshold(_ part: FeatureColumn.Part) -> UInt16 {
        let weights = task.weights[0]
        let wanted = settings.quantile * weights.reduce(0, +)
        var sum = 0.0
        for place in part.order {
            sum += weights[place]
            // Sums of weights that are no whole numbers are rounded.
            if sum >= wanted * (1 - 1e-12) { return part.keys[place] }
        }
        return .max
    }

    private func above(_ part: FeatureColumn.Part, _ threshold: UInt16, part number: Int, lag: Int)
        -> LabelFigures.Above
    {
        var above = LabelFigures.Above(weights: [Double](repeating: 0, count: task.classCount))
        for place in part.order.reversed() {
            guard part.keys[place] > threshold else { break }
            above.weights[Int(task.classes[lag][number][place])] += task.weights[number][place]
            above.total += task.weights[number][place]
            above.count += 1
        }
        return above
    }

    private func bestLag(_ part: FeatureColumn.Part) -> Int {
        guard task.lags.count > 1 else { return 0 }
        let ranges = self.ranges(part, part: 0)
        var best = (lag: 0, information: -1.0)
        for lag in task.lags.indices.sorted(by: {
            (abs(task.lags[$0]), task.lags[$0]) < (abs(task.lags[$1]), task.lags[$1])
        }) {
            let information = mutualInformation(ranges, part: 0, lag: lag)
            if information > best.information { best = (lag, information) }
        }
        return best.lag
    }

    /// The range of each value: of equal values all have the one in which the middle of their weight lies.
    private func ranges(_ part: FeatureColumn.Part, part number: Int) -> [UInt8] {
        let weights = task.weights[number]
        let total = weights.reduce(0, +)
        var ranges = [UInt8](repeating: 0, count: part.keys.count)
        var (start, below) = (0, 0.0)
        while start < part.order.count {
            var (end, own) = (start, 0.0)
            while end < part.order.count, part.keys[part.order[end]] == part.keys[part.order[start]] {
                own += weights[part.order[end]]
                end += 1
            }
            let range = UInt8(min(Self.ranges - 1, Int((below + own / 2) / total * Double(Self.ranges))))
            for place in part.order[start..<end] { ranges[place] = range }
            (start, below) = (end, below + own)
        }
        return ranges
    }

    private func mutualInformation(_ part: FeatureColumn.Part, part number: Int, lag: Int) -> Double {
        mutualInformation(ranges(part, part: number), part: number, lag: lag)
    }

    private func mutualInformation(_ ranges: [UInt8], part: Int, lag: Int) -> Double {
        let width = task.classCount
        var joint = [Double](repeating: 0, count: Self.ranges * width)
        let (classes, weights) = (task.classes[lag][part], task.weights[part])
        for place in ranges.indices { joint[Int(ranges[place]) * width + Int(classes[place])] += weights[place] }
        return joint.withUnsafeBufferPointer {
            LabelFigures.mutualInformation($0, rows: Self.ranges, columns: width, frames: ranges.count)
        }
    }

    private func precisionCurve(_ part: FeatureColumn.Part, _ label: Int, lag: Int) -> (
        average: Double, atRecall: Double
    ) {
        var curve = LabelFigures.PrecisionCurve(
            positives: totals[lag][1][label], recall: settings.selectiveRecall, minimum: settings.minimum)
        var before: UInt16?
        for place in part.order.reversed() {
            curve.add(
                task.weights[1][place], isPositive: Int(task.classes[lag][1][place]) == label,
                tie: part.keys[place] == before)
            before = part.keys[place]
        }
        return curve.value
    }

    private func areaUnderCurve(_ part: FeatureColumn.Part, _ label: Int, lag: Int) -> Double {
        var area = LabelFigures.AreaUnderCurve()
        var before: UInt16?
        for place in part.order {
            area.add(
                task.weights[1][place], isPositive: Int(task.classes[lag][1][place]) == label,
                tie: part.keys[place] == before)
            before = part.keys[place]
        }
        return area.value
    }
}
