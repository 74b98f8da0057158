import Dictionaries
import Foundation
import Kernels
import PluginDraws
import SparseAutoencoders

/// One sparse dictionary of two models (a crosscoder: Lindsey et al. 2024; with BatchTopK Minder et al. 2025, arXiv 2504.02922): each
/// latent has one code and, in each model, a direction of its own.
///
/// The rows of both, each centred and with a mean square of 1, stand side by side, and one autoencoder learns them: of a latent's direction, whose
/// length is 1, one part is in the one model and the rest in the other. Where a latent is in one model alone, the other part is
/// nothing.
struct Crosscoder {
    struct Latent {
        let index: Int
        /// |own| / (|own| + |other|) of the two parts: 1 for this model alone, 0 for the other.
        let share: Double
        /// Of the two parts; NaN where the models have other widths.
        let cosine: Double
        /// Pearson's, of what the latent reads of this model and what it reads of the other, over the judged rows; NaN where one of them
        /// never changes. Directions move slowly from where a training begins; this is 0 of frames that have nothing to do with one
        /// another, however short it was.
        let agreement: Double
        /// The share of the judged rows at which it is active.
        let density: Double
        /// The label that most of those rows have, "" for none; the share of them that have it, and of all judged rows.
        let label: String
        let precision, base: Double
    }

    /// What a training needs.
    struct Settings {
        var latents: Int
        /// Latents that are active at a row, on average.
        var active = 32
        var steps = 1000
        var seed: UInt64 = 0
    }

    /// Within these a latent is of both models, and beyond them of one.
    static let shared = 0.3...0.7, alone = 0.1
    /// From this on what a latent reads of both agrees.
    static let agreeing = 0.3

    let settings: Settings
    /// Latents that are active at one judged row at least, by their number.
    let living: [Latent]
    /// The share of each model's variance that is explained, on the judged rows.
    let explained: (own: Double, other: Double)
    /// Latents that are active at a judged row, on average.
    let active: Double
    let trained, judged: Int

    /// - Parameters:
    ///   - own, other: centred columns of the same rows.
    ///   - labels: of each row; "" for none.
    ///   - groups: rows of one group are all learned from, or all judged by: every fifth group, or row where there is one.
    ///   - between: told before each step how many there have been; ends the training by throwing.
    /// - Throws: ``PluginKit/PluginError`` where numbers are not finite, and what `between` throws.
    init(
        _ own: Columns, _ other: Columns, labels: [String], groups: [Int], _ settings: Settings,
        between: (Int) throws -> Void
    ) throws {
        self.settings = settings
        let judges = Self.judges(groups)
        let rows = Self.sideBySide(own, other), width = own.width + other.width
        func taking(_ isJudge: Bool) -> [Float] {
            judges.indices.filter { judges[$0] == isJudge }.flatMap { rows[$0 * width..<($0 + 1) * width] }
        }
        let learned = taking(false), kept = taking(true)
        (trained, judged) = (learned.count / width, kept.count / width)
        var training = TrainingSettings()
        (training.latents, training.k) = (settings.latents, settings.active)
        // All rows lie in the buffer, and steps are counted by themselves.
        (training.buffer, training.passes) = (max(trained, 1), 0)
        training.batch = min(training.batch, max(trained, 1))
        var trainer = SparseTrainer(settings: training, inputs: width, seed: settings.seed)
        try trainer.add(learned)
        try trainer.settle(least: settings.steps) { done, _ in try between(done) }
        let dictionary = try trainer.dictionary(hook: "", model: "")
        var judge = Judge(dictionary, widths: (own.width, other.width))
        let names = judges.indices.filter { judges[$0] }.map { labels[$0] }
        try judge.add(kept, names)
        living = judge.latents(dictionary)
        explained = judge.explained
        active = judge.active
    }

    /// How many of the living latents are of both models, of this one alone, and of the other alone.
    var counts: (shared: Int, own: Int, other: Int) {
        (
            living.count { Self.shared.contains($0.share) }, living.count { $0.share > 1 - Self.alone },
            living.count { $0.share < Self.alone }
        )
    }

    /// Living latents that read the same in both models.
    var agreeing: Int { living.count { $0.agreement >= Self.agreeing } }

    /// The living latents by their share, in so many ranges from 0 to 1.
    func histogram(_ bins: Int) -> [Double] {
        var counts = [Double](repeating: 0, count: bins)
        for latent in living { counts[min(bins - 1, Int(latent.share * Double(bins)))] += 1 }
        return counts
    }

    /// By row, whether it is judged by.
    private static func judges(_ groups: [Int]) -> [Bool] {
        let order = Set(groups).sorted {
            Hashing.key(seed: 0, purpose: "crosscoder", "\($0)") < Hashing.key(seed: 0, purpose: "crosscoder", "\($1)")
        }
        guard order.count > 1 else { return groups.indices.map { $0 % 5 == 4 } }
        let kept = Set(order.prefix(max(1, order.count / 5)))
        return groups.map(kept.contains)
    }

    private static func sideBySide(_ own: Columns, _ other: Columns) -> [Float] {
        let scales = [own, other].map { columns -> Float in
            let square = columns.values.reduce(0.0) { $0 + Double($1) * Double($1) }
            let root = (square / Double(max(1, columns.values.count))).squareRoot()
            return root > 0 && root.isFinite ? Float(1 / root) : 1
        }
        var rows: [Float] = []
        rows.reserveCapacity(own.values.count + other.values.count)
        for row in 0..<own.rows {
            rows += own.values[row * own.width..<(row + 1) * own.width].lazy.map { $0 * scales[0] }
            rows += other.values[row * other.width..<(row + 1) * other.width].lazy.map { $0 * scales[1] }
        }
        return rows
    }
}

/// What a crosscoder makes of rows that it has not learned from.
private struct Judge {
    private static let block = 256

    private let dictionary: SparseDictionary
    private let widths: (own: Int, other: Int)
    private var rows = 0
    private var activeRows: [Int]
    /// By latent: how often each label stood at a row where it was active.
    private var heard: [[String: Int]]
    private var all: [String: Int] = [:]
    /// Of both models: Σ of the squared errors; by column Σ x and Σ x².
    private var errors = (own: 0.0, other: 0.0)
    private var sums, squares: [Double]
    /// By latent, of what it reads of this model and of the other: Σ, Σ of squares, Σ of products.
    private var readings: [(own: Double, other: Double, ownSquare: Double, otherSquare: Double, product: Double)]
    private let encoder: [Float]

    init(_ dictionary: SparseDictionary, widths: (own: Int, other: Int)) {
        (self.dictionary, self.widths) = (dictionary, widths)
        activeRows = [Int](repeating: 0, count: dictionary.latents)
        heard = [[String: Int]](repeating: [:], count: dictionary.latents)
        sums = [Double](repeating: 0, count: dictionary.inputs)
        squares = sums
        readings = Array(repeating: (0, 0, 0, 0, 0), count: dictionary.latents)
        encoder = dictionary.encoder.withUnsafeBufferPointer { Array($0) }
    }

    /// What each latent reads of some columns of rows, `[rows, latents]`.
    private func readings(_ x: [Float], rows: Int, from column: Int, width: Int) -> [Float] {
        let (latents, inputs) = (dictionary.latents, dictionary.inputs)
        var read = [Float](repeating: 0, count: rows * latents)
        func fill(_ read: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ encoder: UnsafePointer<Float>) {
            MatrixProduct.multiplyOnAllThreads(
                m: rows, n: latents, k: width, x + column, lda: inputs, encoder + column, ldb: inputs, .columns,
                into: read,
                ldc: latents)
        }
        fill(&read, x, encoder)
        return read
    }

    /// - Parameter values: [labels.count, inputs].
    mutating func add(_ values: [Float], _ labels: [String]) throws {
        let width = dictionary.inputs
        for start in stride(from: 0, to: labels.count, by: Self.block) {
            let end = min(start + Self.block, labels.count)
            let x = Array(values[start * width..<end * width])
            let codes = try dictionary.encode(Tensor(shape: [end - start, width], x))
            let made = try dictionary.decode(codes).withUnsafeBufferPointer { Array($0) }
            codes.withUnsafeBufferPointer { codes in
                for row in 0..<end - start {
                    let label = labels[start + row]
                    all[label, default: 0] += 1
                    for latent in 0..<dictionary.latents where codes[row * dictionary.latents + latent] > 0 {
                        activeRows[latent] += 1
                        heard[latent][label, default: 0] += 1
                    }
                }
            }
            for place in x.indices {
                let column = place % width, difference = Double(x[place]) - Double(made[place])
                if column < widths.own {
                    errors.own += difference * difference
                } else {
                    errors.other += difference * difference
                }
                sums[column] += Double(x[place])
                squares[column] += Double(x[place]) * Double(x[place])
            }
            let own = readings(x, rows: end - start, from: 0, width: widths.own)
            let other = readings(x, rows: end - start, from: widths.own, width: widths.other)
            for place in own.indices {
                let (a, b, latent) = (Double(own[place]), Double(other[place]), place % dictionary.latents)
                readings[latent].own += a
                readings[latent].other += b
                readings[latent].ownSquare += a * a
                readings[latent].otherSquare += b * b
                readings[latent].product += a * b
            }
            rows += end - start
        }
    }

    private func agreement(_ latent: Int) -> Double {
        let (sums, count) = (readings[latent], Double(max(1, rows)))
        let own = sums.ownSquare - sums.own * sums.own / count
        let other = sums.otherSquare - sums.other * sums.other / count
        guard own > 0, other > 0 else { return .nan }
        return (sums.product - sums.own * sums.other / count) / (own * other).squareRoot()
    }

    var active: Double { Double(activeRows.reduce(0, +)) / Double(max(1, rows)) }

    var explained: (own: Double, other: Double) {
        func share(_ error: Double, _ columns: Range<Int>) -> Double {
            let variance = columns.reduce(0.0) { $0 + squares[$1] - sums[$1] * sums[$1] / Double(max(1, rows)) }
            return variance > 0 ? 1 - error / variance : .nan
        }
        return (share(errors.own, 0..<widths.own), share(errors.other, widths.own..<widths.own + widths.other))
    }

    func latents(_ dictionary: SparseDictionary) -> [Crosscoder.Latent] {
        let directions = dictionary.decoder.withUnsafeBufferPointer { Array($0) }
        return (0..<dictionary.latents).filter { activeRows[$0] > 0 }.map { latent in
            let direction = directions[latent * dictionary.inputs..<(latent + 1) * dictionary.inputs].map(Double.init)
            let (own, other) = (direction.prefix(widths.own), direction.suffix(widths.other))
            let lengths = [own, other].map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
            let product = zip(own, other).reduce(0) { $0 + $1.0 * $1.1 }
            // Of equals the first by name; rows without a label name nothing.
            let label =
                heard[latent].filter { !$0.key.isEmpty }.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? ""
            return Crosscoder.Latent(
                index: latent, share: lengths[0] / (lengths[0] + lengths[1]),
                cosine: widths.own == widths.other ? product / (lengths[0] * lengths[1]) : .nan,
                agreement: agreement(latent),
                density: Double(activeRows[latent]) / Double(max(1, rows)), label: label,
                precision: Double(heard[latent][label] ?? 0) / Double(activeRows[latent]),
                base: Double(all[label] ?? 0) / Double(max(1, rows)))
        }
    }
}
