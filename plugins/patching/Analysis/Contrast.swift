import PluginKit
import TensorFiles

/// A minimal pair before a model: what the decoder reads, the two tokens between which it has to choose next, and what both passes have.
struct Contrast {
    let pair: MinimalPair
    /// What the decoder reads in all passes: its prompt, and the text that both have in common.
    let tokens: [Int32]
    /// What comes next in the clean recording's text, and in the other's.
    let answer, other: Int32
    /// The logit of `answer` less that of `other` behind the tokens: of both recordings.
    private(set) var clean = 0.0, corrupted = 0.0
    /// By hook points: of both passes, and the gradient of the difference in the corrupted one.
    private(set) var cleanValues: [String: Activation] = [:], corruptedValues: [String: Activation] = [:]
    private(set) var gradients: [String: Activation] = [:]
    private let host: Host

    /// What a token's difference is called as an objective.
    var objective: String { "token \(answer) - \(other) behind \(tokens.count - 1)" }
    /// Frames that both recordings have.
    var frames: Int {
        min(cleanValues["encoder.positional"]?.positions ?? 0, corruptedValues["encoder.positional"]?.positions ?? 0)
    }

    /// - Parameter heardTexts: whether the texts are what the model writes, not what the data set says.
    /// - Throws: ``Unfit`` where the pair says nothing.
    init(_ pair: MinimalPair, heardTexts: Bool, host: Host) throws {
        (self.pair, self.host) = (pair, host)
        guard let end = try host.encode("<|endoftext|>", parseSpecial: true).first else {
            throw PluginError(.unsupported, "the model's tokenizer has no <|endoftext|>")
        }
        func read(_ heard: Heard) throws -> (prompt: [Int32], text: [Int32]) {
            var tokens: [Int32] = []
            try host.pass(.samples(heard.samples), hooks: ["decoder.token_embedding"]) { tensor in
                if tensor.hook == "tokens" { tokens = tensor.doubles().map { Int32($0) } }
            }
            let prompt = tokens.prefix { $0 >= end }
            guard !heardTexts, let text = heard.text, text.contains(where: { !$0.isWhitespace }) else {
                return (Array(prompt), Array(tokens.dropFirst(prompt.count)))
            }
            return (Array(prompt), try host.encode(" " + text.drop { $0 == " " }))
        }
        let (first, second) = (try read(pair.clean), try read(pair.corrupted))
        let common = zip(first.text, second.text).prefix { $0 == $1 }.count
        guard first.prompt == second.prompt, !first.prompt.isEmpty else {
            throw Unfit("the model takes the two for different languages")
        }
        guard common < first.text.count, common < second.text.count else {
            throw Unfit(
                "the texts of both are the same, or one begins the other: \"\(try host.decode(first.text))\", "
                    + "\"\(try host.decode(second.text))\"")
        }
        tokens = first.prompt + first.text[..<common]
        (answer, other) = (first.text[common], second.text[common])
    }

    /// Two forward passes and one backward.
    mutating func listen() throws {
        var heard: [String: Activation] = [:]
        clean = try difference(in: pair.clean, hooks: Place.hooks) { heard[$0.hook] = Activation($0) }
        cleanValues = heard
        heard = [:]
        var slopes: [String: Activation] = [:]
        corrupted = try difference(in: pair.corrupted, objectives: [objective], hooks: Place.hooks) { tensor in
            if tensor.hook.hasSuffix("@grad") {
                slopes[String(tensor.hook.dropLast(5))] = Activation(tensor)
            } else {
                heard[tensor.hook] = Activation(tensor)
            }
        }
        (corruptedValues, gradients) = (heard, slopes)
    }

    /// The logit difference of the corrupted recording under changes.
    func value(interventions: [String]) throws -> Double {
        try difference(in: pair.corrupted, interventions: interventions)
    }

    /// The logit difference of a recording.
    /// - Parameter body: gets what `hooks` name.
    private func difference(
        in heard: Heard, interventions: [String] = [], objectives: [String] = [], hooks: [String] = [],
        _ body: (TensorView) throws -> Void = { _ in }
    ) throws -> Double {
        try host.checkCancellation()
        var found: Double?
        try host.pass(
            .samples(heard.samples), tokens: tokens, interventions: interventions, objectives: objectives,
            hooks: hooks + [Self.logits]
        ) { tensor in
            switch tensor.hook {
            case "tokens", Self.logits + "@grad": break
            case Self.logits:
                guard tensor.rank == 2, tensor.shape[0] > 0, Int(max(answer, other)) < tensor.shape[1] else { break }
                let last = tensor.shape[0] - 1
                found = tensor[last, Int(answer)] - tensor[last, Int(other)]
            default: try body(tensor)
            }
        }
        guard let found, found.isFinite else {
            throw PluginError(.failed, "the host gave no logits of \(answer) and \(other) for \(heard.name)")
        }
        return found
    }

    private static let logits = "decoder.logits"

    /// What the corrupted recording lacks to the clean one: how much of it a value of ``value(interventions:hooks:_:)`` has.
    func recovered(_ value: Double) -> Double { (value - corrupted) / (clean - corrupted) }

    /// What an exchange does, to first order; nil where the model gave no gradient there.
    func attributed(_ place: Place) -> Double? {
        guard let a = cleanValues[place.hook], let b = corruptedValues[place.hook], let g = gradients[place.hook],
            a.width == b.width, b.shape == g.shape
        else { return nil }
        return Activation.attribution(clean: a, corrupted: b, gradient: g, at: place)
    }

    /// Writes the clean pass's activations where interventions find them.
    func write(to path: String) throws {
        let writer = try SafetensorsWriter(path: path)
        for (name, activation) in cleanValues.sorted(by: { $0.key < $1.key }) {
            try activation.values.withUnsafeBytes {
                try writer.append(name, type: .float32, shape: activation.shape, bytes: $0)
            }
        }
        try writer.finish()
    }
}

/// Why nothing can be learned from a pair.
struct Unfit: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
