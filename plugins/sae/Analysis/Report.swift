import Dictionaries
import Foundation
import Kernels
import PluginKit

func naturalLogarithm(_ x: Double) -> Double { log(x) }

/// What a dictionary makes of activations, added up.
struct CodeStatistics {
    private(set) var positions = 0
    private(set) var active = 0
    private(set) var residual = 0.0
    /// Positions at which each latent has a code.
    private(set) var counts: [Int] = []
    private var sums: [Double] = []
    private var squares: [Double] = []

    mutating func add(_ x: Tensor, _ dictionary: SparseDictionary) throws {
        guard x.shape[0] > 0 else { return }
        if counts.isEmpty {
            counts = [Int](repeating: 0, count: dictionary.latents)
            sums = [Double](repeating: 0, count: dictionary.inputs)
            squares = sums
        }
        let codes = try dictionary.encode(x).elements
        let back = try dictionary.reconstruct(x).elements
        let values = x.elements
        for (place, code) in codes.enumerated() where code > 0 {
            active += 1
            counts[place % dictionary.latents] += 1
        }
        for (place, value) in values.enumerated() {
            let (column, value) = (place % dictionary.inputs, Double(value))
            let difference = value - Double(back[place])
            residual += difference * difference
            sums[column] += value
            squares[column] += value * value
        }
        positions += x.shape[0]
    }

    /// 1 − residual / variance, each dimension about its own mean.
    var explained: Double {
        let total = zip(sums, squares).reduce(0) { $0 + $1.1 - $1.0 * $1.0 / Double(max(positions, 1)) }
        return total > 0 ? 1 - residual / total : .nan
    }
    /// Active latents at a position.
    var active0: Double { positions > 0 ? Double(active) / Double(positions) : .nan }
    /// The share of latents that no position has.
    var dead: Double {
        counts.isEmpty ? .nan : Double(counts.filter { $0 == 0 }.count) / Double(counts.count)
    }
    var densities: [Double] { counts.map { Double($0) / Double(max(positions, 1)) } }
}

/// The results.
struct Report {
    let trainer: SparseTrainer
    let evaluation: Evaluation
    let folder: String

    func emit(_ results: Results) throws {
        let points = trainer.progress.points
        let every = Double(trainer.progress.every)
        let axis = Axis("step", first: every, step: every)
        if !points.isEmpty {
            try results.emit("loss", .vector(points.map(\.loss), axis: axis))
            try results.emit("l0", .vector(points.map(\.active), axis: axis))
            try results.emit("explained", .vector(points.map(\.explained), axis: axis))
            try results.emit("dead", .vector(points.map(\.dead), axis: axis))
        }
        var last = CodeStatistics()
        try last.add(
            Tensor(shape: [trainer.filled, trainer.inputs], trainer.buffer), evaluation.dictionary)
        try emitDensity(last.densities, results)
        let kept = evaluation.statistics
        try results.emit(
            "summary",
            .table(
                columns: ["of", "positions", "explained_variance", "l0", "dead_share"],
                rows: [("last buffer", last), ("kept recordings", kept)].filter { $0.1.positions > 0 }.map { name, of in
                    [
                        .text(name), .number(Double(of.positions)), .number(of.explained), .number(of.active0),
                        .number(of.dead),
                    ]
                }), mayBeNaN: true)
        try emitSplice(results)
        let settings = trainer.settings
        try results.emit(
            "method",
            .text(
                "\(settings.variant.rawValue)\(settings.isTied ? ", tied weights," : "") with \(settings.latents) latents "
                    + "at \(settings.hook): \(trainer.positions) valid positions, \(trainer.steps) steps of "
                    + "\(settings.batch). "
                    + "Explained variance is 1 - residual / variance, each dimension about its mean; a latent is dead here "
                    + "where no position of those has it. \(judgement) The dictionary is in \(folder)."))
    }

    /// What the kept recordings say, or why they say nothing.
    private var judgement: String {
        if evaluation.statistics.positions == 0 {
            return "No recording was kept from training to judge by: of the first ones every second is that fits the "
                + "model's window, as many as evaluate says."
        }
        guard evaluation.readings.isEmpty else { return "Spliced and zeroed are valid frames alone." }
        return "Cross-entropy and word errors are left out: no kept recording has a text (the column text, or words)."
    }

    /// Latents by density, one bar a quarter of a power of ten; the first bar has those that are never active.
    private func emitDensity(_ densities: [Double], _ results: Results) throws {
        let (low, bars) = (-6.0, 24)
        var counts = [Double](repeating: 0, count: bars + 1)
        for density in densities {
            guard density > 0 else {
                counts[0] += 1
                continue
            }
            counts[1 + min(max(Int(((log10(density) - low) * 4).rounded(.down)), 0), bars - 1)] += 1
        }
        let labels = ["never"] + (0..<bars).map { String(low + Double($0) / 4) }
        try results.emit("density", .vector(counts, axis: Axis("log10 of density, from", labels: labels)))
    }

    private func emitSplice(_ results: Results) throws {
        guard !evaluation.readings.isEmpty else { return }
        var rows: [[Cell]] = []
        for condition in Evaluation.Condition.allCases {
            let readings = evaluation.readings.compactMap { $0.readings[condition] }
            let words = readings.reduce(0) { $0 + $1.words }, errors = readings.reduce(0) { $0 + $1.errors }
            let known = readings.filter { $0.crossEntropy != nil }
            let tokens = known.reduce(0) { $0 + $1.tokens }
            let entropy = known.reduce(0) { $0 + ($1.crossEntropy ?? 0) }
            rows.append([
                .text(condition.rawValue), .number(tokens > 0 ? entropy / Double(tokens) : .nan),
                .number(words > 0 ? Double(errors) / Double(words) : .nan), .number(Double(words)),
                .number(Double(tokens)),
            ])
        }
        try results.emit(
            "splice",
            .table(columns: ["condition", "cross_entropy", "word_error_rate", "words", "tokens"], rows: rows),
            mayBeNaN: true)
        try results.emit(
            "recordings",
            .table(
                columns: ["recording", "text"] + Evaluation.Condition.allCases.map(\.rawValue),
                rows: evaluation.readings.map { recording, readings in
                    [.text(recording.name), .text(recording.text)]
                        + Evaluation.Condition.allCases.map { .text(readings[$0]?.text ?? "") }
                }))
    }
}
