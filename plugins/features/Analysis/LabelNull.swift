import PluginDraws

/// What a label's precision would be if the feature had nothing to do with it: with the labels of the scoring part
/// drawn anew, many times.
///
/// What is drawn has to be what could as well have been otherwise, or a p-value is too small. Sounds, words and tokens
/// follow upon themselves, as activations do, so their labels are rotated against the activations by a random number
/// of frames, which keeps both. A column is the same throughout a recording, and often in all recordings of a speaker,
/// whose frames are then no evidence of their own: its values are dealt out anew among those (``LabelTask/units``).
struct LabelNull {
    private enum Draws {
        /// By how many frames.
        case rotations([Int])
        /// [draw][unit]: a class.
        case deals([[UInt16]])
    }

    private let task: LabelTask
    private let draws: Draws

    init(_ task: LabelTask, _ settings: LabelSettings) {
        self.task = task
        func generator(_ purpose: String) -> SplitMix {
            SplitMix(seed: Hashing.key(seed: settings.splitSeed, purpose: purpose, task.kind))
        }
        guard task.units.isEmpty else {
            var (draws, classes) = (generator("deals"), task.classesOfUnits)
            self.draws = .deals(
                (0..<(classes.count < 2 ? 0 : settings.permutations)).map { _ in
                    // Fisher and Yates' shuffle, by Durstenfeld.
                    for place in stride(from: classes.count - 1, to: 0, by: -1) {
                        classes.swapAt(place, draws.next(below: place + 1))
                    }
                    return classes
                })
            return
        }
        var draws = generator("rotations")
        let count = task.rows[1].count
        // A rotation by a few frames would leave most labels where they are.
        let least = max(1, min(50, count / 4))
        self.draws = .rotations(
            (0..<(count < 2 ? 0 : settings.permutations)).map { _ in
                least + draws.next(below: max(1, count - least) - least + 1)
            })
    }

    /// Whether there is more than one way to lay the labels.
    var isPossible: Bool {
        switch draws {
        case .rotations(let rotations): !rotations.isEmpty
        case .deals(let deals): !deals.isEmpty
        }
    }

    /// - Parameters:
    ///   - above: places of the scoring part where the feature listens, in ascending order: so sums are made alike.
    func pValue(above: [Int], label: Int, lag: Int, _ precision: Double) -> Double {
        // The same sum in another order may differ in its last bit.
        let limit = precision - 1e-9
        switch draws {
        case .rotations(let rotations):
            let noSmaller = rotations.count { rotated(above, label, lag, by: $0) >= limit }
            return LabelFigures.pValue(noSmaller: noSmaller, of: rotations.count)
        case .deals(let deals):
            let all = above.reduce(0) { $0 + task.weights[1][$1] }
            let noSmaller = deals.count { dealt(above, label, $0) / all >= limit }
            return LabelFigures.pValue(noSmaller: noSmaller, of: deals.count)
        }
    }

    /// A label takes its frame's weight along: how rare the sound in it is belongs to what is heard.
    private func rotated(_ above: [Int], _ label: Int, _ lag: Int, by rotation: Int) -> Double {
        let (classes, weights) = (task.classes[lag][1], task.weights[1])
        var (right, all) = (0.0, 0.0)
        for place in above {
            let moved = place + rotation
            let other = moved < classes.count ? moved : moved - classes.count
            all += weights[other]
            if Int(classes[other]) == label { right += weights[other] }
        }
        return right / all
    }

    /// The weight of what has the label.
    private func dealt(_ above: [Int], _ label: Int, _ classes: [UInt16]) -> Double {
        var right = 0.0
        for place in above where Int(classes[task.units[place]]) == label { right += task.weights[1][place] }
        return right
    }
}
