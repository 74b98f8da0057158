import PluginStatistics

/// What a classifier got right.
struct Figures: Sendable, Equatable {
    let accuracy: Double
    /// The mean over the classes that occur, in truth or in answers, of 2 tp / (2 tp + fp + fn).
    let macroF1: Double
    /// The area under the ROC curve of the second class where there are two, else the mean of each class against the
    /// rest. Classes that no row or every row has are left out; NaN where none is left.
    let areaUnderCurve: Double
    /// [true class, answered class], row-major.
    let confusion: [Double]

    /// - Parameter scores: [rows, classes]: softmax probabilities, so that a score means the same in every row.
    init(scores: [Double], labels: [Int], classes: Int) {
        let answers = labels.indices.map { row in
            argumentOfMaximum(scores[(row * classes)..<((row + 1) * classes)])
        }
        var confusion = [Double](repeating: 0, count: classes * classes)
        for (truth, answer) in zip(labels, answers) { confusion[truth * classes + answer] += 1 }
        let right = (0..<classes).reduce(0) { $0 + confusion[$1 * classes + $1] }
        self.accuracy = labels.isEmpty ? .nan : right / Double(labels.count)
        self.macroF1 = Self.macroF1(confusion, classes: classes)
        let judged = classes == 2 ? 1..<2 : 0..<classes
        let areas = judged.map { index in
            Ranks.areaUnderCurve(
                labels.indices.map { scores[$0 * classes + index] }, positive: labels.map { $0 == index })
        }.filter { !$0.isNaN }
        self.areaUnderCurve = areas.isEmpty ? .nan : areas.reduce(0, +) / Double(areas.count)
        self.confusion = confusion
    }

    static func macroF1(_ confusion: [Double], classes: Int) -> Double {
        var values: [Double] = []
        for index in 0..<classes {
            let truth = (0..<classes).reduce(0) { $0 + confusion[index * classes + $1] }
            let answered = (0..<classes).reduce(0) { $0 + confusion[$1 * classes + index] }
            if truth + answered > 0 { values.append(2 * confusion[index * classes + index] / (truth + answered)) }
        }
        return values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
    }
}

/// The first of the largest.
func argumentOfMaximum(_ values: ArraySlice<Double>) -> Int {
    var best = values.startIndex
    for index in values.indices where values[index] > values[best] { best = index }
    return best - values.startIndex
}
