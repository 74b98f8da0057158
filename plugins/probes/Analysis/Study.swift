import Foundation
import PluginDraws

/// One row: what is known of it beside its features.
struct RowFacts: Sendable, Equatable {
    let recording: UInt64
    let frame: UInt64
    let label: String
    /// "" where none is known.
    let speaker: String
    /// What the control task gives one random label to: see ``Study``.
    let type: String
}

/// A probe at one hook point, judged.
struct LayerReport: Sendable {
    let hook: String
    let probe: LinearProbe
    let standardisation: Standardisation
    let l2: Double
    let converged: Bool
    let validationAccuracy: Double
    let validationLoss: Double
    let trainAccuracy: Double
    let test: Figures
    /// 95 %, over the groups of the test part; NaN where it has one.
    let interval: (low: Double, high: Double)
    /// The first is NaN where the control task is not defined: see ``Study/controlIsDefined``.
    let control: (accuracy: Double, trainAccuracy: Double)
    /// Accuracy − the control task's accuracy; NaN where that is.
    var selectivity: Double { test.accuracy - control.accuracy }
}

enum StudyError: Error, CustomStringConvertible {
    case nothing(String)

    var description: String {
        switch self {
        case .nothing(let sentence): sentence
        }
    }
}

/// A linear probe at each hook point, on the same rows, split the same way.
///
/// The control task (Hewitt and Liang 2019) keeps the features and gives every *type* one label, drawn at random from
/// the training labels' distribution. What a probe reaches there it knows by heart, so accuracy − control accuracy says
/// how much was in the features. A type is the sound in its word for phonemes, and else the speaker; or the
/// recording, where the speaker is not known or is what the probe looks for.
///
/// Hewitt and Liang's words are the same ones in training and test. What is a property of a whole recording has types
/// that are not: speakers are in one part alone. A label drawn for a speaker whom training never saw is in no feature, so
/// accuracy on it is whatever the draw happens to be, 0 or 1 where the test part has one speaker, and says nothing of
/// memory. Where fewer than half of the test rows have a type that training saw, the control task is not defined, and no
/// selectivity is given. How well the training types were learnt by heart is its training accuracy either way.
struct Study: Sendable {
    /// Penalties that are tried, the largest first.
    static let penalties = [10, 1, 0.1, 0.01, 0.001, 0.0001]
    /// No smaller penalty is tried after so many in a row that did not lower the validation part's loss: along a path of
    /// penalties it falls and then rises, and the smallest ones, whose fits take the most steps, lie far behind its least.
    static let patience = 2
    static let resamples = 1000

    let facts: [RowFacts]
    let split: Split
    let classes: [String]
    let seed: UInt64
    /// nil: chosen on the validation part.
    let l2: Double?
    /// Rows whose class the training part has not.
    let leftOut: Int
    /// The part of the test rows that the most frequent training class has.
    let majority: (label: String, accuracy: Double)
    private let train: [Int]
    private let validation: [Int]
    private let test: [Int]
    private let labels: [Int]
    private let controlLabels: [Int]
    /// Whether at least half of the test rows have a type that is in the training part.
    let controlIsDefined: Bool

    var counts: (train: Int, validation: Int, test: Int) { (train.count, validation.count, test.count) }

    /// - Throws: ``StudyError`` where there is nothing to learn or nothing to test with.
    init(facts: [RowFacts], byClass: Bool, l2: Double?, seed: UInt64) throws {
        guard !facts.isEmpty else { throw StudyError.nothing("no row has a label: nothing to probe for") }
        let split = Split(
            labels: facts.map(\.label), speakers: facts.map(\.speaker), recordings: facts.map(\.recording),
            byClass: byClass, seed: seed)
        let classes = Set(split.train.map { facts[$0].label }).sorted()
        guard classes.count >= 2 else {
            throw StudyError.nothing(
                "the training part (\(split.train.count) of \(facts.count) rows, split by \(split.unit.rawValue)) has only "
                    + "the class '\(classes.first ?? "")', and a probe needs two")
        }
        let places = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
        let labels = facts.map { places[$0.label] ?? -1 }
        let known = { (rows: [Int]) in rows.filter { labels[$0] >= 0 } }
        let test = known(split.test)
        guard !test.isEmpty else {
            throw StudyError.nothing(
                "no row is left to test with: \(facts.count) rows, split by \(split.unit.rawValue); three recordings of each "
                    + "class are the least")
        }
        self.facts = facts
        self.split = split
        self.classes = classes
        self.seed = seed
        self.l2 = l2
        self.train = split.train
        self.validation = known(split.validation)
        self.test = test
        self.labels = labels
        self.leftOut = labels.count { $0 < 0 }
        var frequency = [Double](repeating: 0, count: classes.count)
        for row in split.train { frequency[labels[row]] += 1 }
        let common = argumentOfMaximum(frequency[...])
        self.majority = (classes[common], Double(test.count { labels[$0] == common }) / Double(test.count))
        let distribution = frequency.map { $0 / Double(split.train.count) }
        self.controlLabels = facts.map { Self.controlLabel($0.type, distribution, seed: seed) }
        let learnt = Set(split.train.map { facts[$0].type })
        self.controlIsDefined = 2 * test.count { learnt.contains(facts[$0].type) } >= test.count
    }

    /// A class drawn from `distribution` for a type: the same for each of its rows.
    static func controlLabel(_ type: String, _ distribution: [Double], seed: UInt64) -> Int {
        var left = Hashing.unit(Hashing.key(seed: seed, purpose: "control", type))
        for (index, share) in distribution.enumerated() {
            left -= share
            if left < 0 { return index }
        }
        return distribution.lastIndex { $0 > 0 } ?? 0
    }

    /// - Parameters:
    ///   - features: row i belongs to `facts[i]`.
    ///   - onStep: called while probes are fitted, with how far that is, 0 to 1 and always farther; what it throws ends the work.
    func report(
        hook: String, features: FeatureMatrix, onStep: (Double) throws -> Void
    ) rethrows -> LayerReport {
        let standardisation = Standardisation(over: features.rows(train))
        let rows = standardisation.apply(features)
        let parts = (train: rows.rows(train), validation: rows.rows(validation), test: rows.rows(test))
        let real = try choose(parts.train, parts.validation, labels: labels) { try onStep($0 / 2) }
        let control = try choose(parts.train, parts.validation, labels: controlLabels) { try onStep(0.5 + $0 / 2) }
        let figures = judge(real.fit.probe, parts.test, labels: labels, rows: test)
        return LayerReport(
            hook: hook, probe: real.fit.probe, standardisation: standardisation, l2: real.l2,
            converged: real.fit.converged,
            validationAccuracy: judge(real.fit.probe, parts.validation, labels: labels, rows: validation).accuracy,
            validationLoss: real.loss,
            trainAccuracy: judge(real.fit.probe, parts.train, labels: labels, rows: train).accuracy, test: figures,
            interval: interval(real.fit.probe, parts.test),
            control: (
                controlIsDefined
                    ? judge(control.fit.probe, parts.test, labels: controlLabels, rows: test).accuracy : .nan,
                judge(control.fit.probe, parts.train, labels: controlLabels, rows: train).accuracy
            ))
    }

    /// The same, without a word on the way.
    func report(hook: String, features: FeatureMatrix) -> LayerReport {
        report(hook: hook, features: features) { _ in }
    }

    private struct Choice {
        let fit: Fit
        let l2: Double
        let loss: Double
    }

    /// The penalty with the smallest cross-entropy on the validation part; of equals, the larger; see ``patience``. Without a validation
    /// part there is nothing to choose by, and 0.01 is taken.
    private func choose(
        _ train: FeatureMatrix, _ validation: FeatureMatrix, labels: [Int], onStep: (Double) throws -> Void
    ) rethrows -> Choice {
        let targets = self.train.map { labels[$0] }
        let candidates = l2.map { [$0] } ?? (validation.count == 0 ? [0.01] : Self.penalties)
        var best: Choice?
        var start: LinearProbe?
        var worse = 0
        for (number, penalty) in candidates.enumerated() {
            let fit = try LogisticRegression(l2: penalty).fit(
                train, labels: targets, classes: classes.count, from: start
            ) { step in
                // How many steps there will be nobody knows; each is a little farther.
                let part = Double(step) / Double(step + 100)
                try onStep((Double(number) + part) / Double(candidates.count))
            }
            start = fit.probe
            let logits = fit.probe.logits(validation)
            let loss =
                self.validation.enumerated().reduce(0.0) { sum, entry in
                    let line = logits[(entry.offset * classes.count)..<((entry.offset + 1) * classes.count)]
                    return sum + crossEntropy(line, label: labels[entry.element])
                } / Double(max(validation.count, 1))
            if best.map({ loss < $0.loss }) ?? true {
                best = Choice(fit: fit, l2: penalty, loss: validation.count == 0 ? .nan : loss)
                worse = 0
            } else {
                worse += 1
                if worse == Self.patience { break }
            }
        }
        // `candidates` is never empty; a fit without steps stands for the impossible.
        return best
            ?? Choice(
                fit: Fit(
                    probe: LinearProbe(classes: classes.count, features: train.features), iterations: 0,
                    converged: false),
                l2: .nan, loss: .nan)
    }

    private func judge(_ probe: LinearProbe, _ features: FeatureMatrix, labels: [Int], rows: [Int]) -> Figures {
        let logits = probe.logits(features)
        var scores = logits
        for row in rows.indices {
            let line = logits[(row * classes.count)..<((row + 1) * classes.count)]
            for index in 0..<classes.count {
                scores[row * classes.count + index] = exp(-crossEntropy(line, label: index))
            }
        }
        return Figures(scores: scores, labels: rows.map { labels[$0] }, classes: classes.count)
    }

    /// Percentiles of the accuracy over draws of the test part's groups with replacement.
    private func interval(_ probe: LinearProbe, _ features: FeatureMatrix) -> (low: Double, high: Double) {
        let logits = probe.logits(features)
        var tally: [String: (right: Double, all: Double)] = [:]
        for (place, row) in test.enumerated() {
            let line = logits[(place * classes.count)..<((place + 1) * classes.count)]
            let fact = facts[row]
            let group =
                split.unit == .recording || fact.speaker.isEmpty
                ? "recording \(fact.recording)" : "speaker \(fact.speaker)"
            tally[group, default: (0, 0)].right += argumentOfMaximum(line) == labels[row] ? 1 : 0
            tally[group, default: (0, 0)].all += 1
        }
        let groups = tally.sorted { $0.key < $1.key }.map(\.value)
        return Self.bootstrap(groups, seed: seed)
    }

    /// The 2.5th and 97.5th percentile of Σ right / Σ all over ``resamples`` draws of the groups.
    static func bootstrap(_ groups: [(right: Double, all: Double)], seed: UInt64) -> (low: Double, high: Double) {
        guard groups.count > 1 else { return (.nan, .nan) }
        var generator = SplitMix(seed: Hashing.key(seed: seed, purpose: "bootstrap", ""))
        let accuracies = (0..<resamples).map { _ in
            var (right, all) = (0.0, 0.0)
            for _ in groups.indices {
                let group = groups[Int.random(in: 0..<groups.count, using: &generator)]
                (right, all) = (right + group.right, all + group.all)
            }
            return right / all
        }.sorted()
        return (accuracies[Int(0.025 * Double(resamples - 1))], accuracies[Int(0.975 * Double(resamples - 1))])
    }
}
