import Glibc
import PluginKit
import TensorFiles

/// Passes over one recording's window, which the decoder reads as far as a word's last token.
struct Listener {
    /// What the model hears.
    enum Sound {
        case samples([Float])
        /// The model's input, `[bands, frames]`, of which `valid` are sound.
        case logMel([Float], bands: Int, valid: Int)
    }

    let host: Host
    /// Where objectives that are files are written.
    let files: ObjectiveFiles
    /// All that the decoder read.
    let tokens: [Int32]
    let word: WrittenWord

    /// What the decoder reads: all before the word's last token.
    private var read: [Int32] { Array(tokens[..<(word.tokens.upperBound - 1)]) }
    /// The rows of logits that say the word's tokens.
    private var rows: Range<Int> { word.tokens.lowerBound - 1..<word.tokens.upperBound - 1 }

    static let logits = "decoder.logits"

    /// - Parameter decodes: whether the decoder has a part in what is asked for.
    func pass(
        _ sound: Sound, interventions: [String] = [], objectives: [String] = [], hooks: [String], decodes: Bool = true
    ) throws -> Captures {
        try host.checkCancellation()
        var captures = Captures()
        let heard: PassSound
        switch sound {
        case .samples(let samples): heard = .samples(samples)
        case .logMel(let mel, let bands, let valid): heard = .logMel(mel, bands: bands, valid: valid)
        }
        try host.pass(
            heard, tokens: decodes ? read : [], interventions: interventions, objectives: objectives, hooks: hooks
        ) { if $0.hook != "tokens" { try captures.add($0) } }
        return captures
    }

    /// The log-probability of the word's tokens, each behind those before it.
    func logProbability(_ captures: Captures) throws -> Double {
        let logits = try captures.value(Self.logits)
        return try rows.reduce(0) { sum, row in
            let line = try self.line(row, logits)
            return sum + Double(line[Int(tokens[row + 1])]) - line.logSumExp
        }
    }

    func logProbability(_ sound: Sound, interventions: [String] = []) throws -> Double {
        try logProbability(pass(sound, interventions: interventions, hooks: [Self.logits]))
    }

    /// An objective whose gradient is that of ``logProbability(_:)`` at these logits, 1 at the token less the probabilities: the logarithm itself is
    /// linear in no activation.
    func objective(at captures: Captures, named name: String = "word") throws -> String {
        let logits = try captures.value(Self.logits)
        var weights = [Float](repeating: 0, count: logits.values.count)
        for row in rows {
            let line = try self.line(row, logits), sum = line.logSumExp, first = row * logits.width
            let token = Int(tokens[row + 1])
            // Of a token that is nearly certain, 1 − p is the sum of what little the others have.
            var rest = 0.0
            for (id, logit) in line.enumerated() where id != token {
                let probability = exp(Double(logit) - sum)
                weights[first + id] = Float(-probability)
                rest += probability
            }
            weights[first + token] = Float(rest)
        }
        return try objective(weights, shape: logits.shape, hook: Self.logits, named: name)
    }

    /// Σ weight · activation at a hook point, as an objective.
    func objective(_ weights: [Float], shape: [Int], hook: String, named name: String) throws -> String {
        let path = files.path(name)
        let writer = try SafetensorsWriter(path: path)
        try weights.withUnsafeBytes { try writer.append(hook, type: .float32, shape: shape, bytes: $0) }
        try writer.finish()
        return "\"\(path)\""
    }

    private func line(_ row: Int, _ logits: Captures.Activation) throws -> [Float] {
        let width = logits.width
        guard row >= 0, (row + 1) * width <= logits.values.count, Int(tokens[row + 1]) < width, tokens[row + 1] >= 0
        else {
            throw PluginError(
                .failed,
                "the logits have shape \(logits.shape), and the word is read in row \(row), column \(tokens[row + 1])")
        }
        return Array(logits.values[row * width..<(row + 1) * width])
    }
}

extension Collection<Float> {
    /// log Σ exp xᵢ.
    var logSumExp: Double {
        let most = Double(self.max() ?? 0)
        return most + log(reduce(0.0) { $0 + exp(Double($1) - most) })
    }
}

/// Files of one word's objectives, which are taken away at the end. Workers share the plugin's folder, so their names have the process's number.
final class ObjectiveFiles {
    private let folder: String
    private var written: Set<String> = []

    init(in folder: String) { self.folder = folder }
    deinit { for path in written { unlink(path) } }

    func path(_ name: String) -> String {
        let path = "\(folder)/\(getpid())-\(name).safetensors"
        written.insert(path)
        return path
    }
}
