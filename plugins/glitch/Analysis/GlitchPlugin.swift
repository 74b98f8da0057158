import PluginKit
import PluginTranscripts
import PluginVocabulary

/// Tokens that a model hardly learned (``TokenStudy``), or sounds that go with broken words (``SoundStudy``).
public struct GlitchPlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.glitch", name: "Glitches", version: "1.0.0", vendor: "Auscult", licence: "Apache-2.0",
        description: """
            Tokens that a model hardly learned, found by their embedding and verified by repetition; and sounds that go \
            with broken words.
            """,
        needs: Needs(nothingToHear: true),
        parameters: [
            .choice(
                "what", default: "tokens", of: ["tokens", "sounds"],
                "tokens: of the vocabulary, without recordings; sounds: of recordings with words and phonemes"),
            .text("unused", "ids of tokens that no text has, as \"12,40-52\"; empty: those of bytes that no UTF-8 has"),
            .integer(
                "candidates", default: 50, in: 1...10_000, "tokens most like the unused, and shortest, that are tried"),
            .integer("controls", default: 200, in: 0...10_000, "tokens drawn at random that are tried beside them"),
            .integer("repeats", default: 8, in: 1...100, "how often a token was said before it is to come once more"),
            .number(
                "limit", default: 0.01, in: 0...1,
                "a token is verified where it comes once more with less than this probability"),
            .text("language", default: "en", "the language that the decoder is told in the prompt"),
            .integer("least", default: 10, in: 1...1_000_000, "words that a sound must be in"),
            .integer("permutations", default: 2000, in: 100...100_000, "draws of the null of sounds"),
        ], outputs: GlitchReport.outputs)

    /// What was heard.
    public struct State: Codable {
        var words: [SoundStudy.Word] = []
        /// What was written of the recording that is open.
        var open = ""
        /// Recordings without words or phonemes.
        var unaligned = 0
    }

    public private(set) var state = State()
    private let hearsSounds: Bool
    private let unused: [String]
    private let settings: TokenStudy.Settings
    private let language: String
    private let least: Int
    private let permutations: Int
    private let host: Host
    private var run: Run?

    public init(arguments: Arguments, host: Host) throws {
        hearsSounds = try arguments.choice("what") == "sounds"
        unused = try arguments.list("unused")
        settings = TokenStudy.Settings(
            candidates: try arguments.integer("candidates"), controls: try arguments.integer("controls"),
            repeats: try arguments.integer("repeats"), limit: try arguments.number("limit"))
        language = try arguments.text("language")
        least = try arguments.integer("least")
        permutations = try arguments.integer("permutations")
        self.host = host
    }

    public var needs: Needs { hearsSounds ? Needs(decoder: true, labels: true) : Needs(nothingToHear: true) }

    public mutating func activate(_ run: Run) throws { self.run = run }

    // MARK: - Sounds

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        guard hearsSounds else { return }
        if clip.window == 0 { state.open = "" }
        let written = try clip.tokens.filter { try !host.decode([$0]).hasPrefix("<|") }
        state.open += " " + (try host.decode(Array(written)))
        guard clip.isLastWindow else { return }
        let words = BrokenWords.find(clip, transcript: state.open)
        if words.isEmpty { state.unaligned += 1 }
        state.words += words
        state.open = ""
    }

    public mutating func merge(state other: State) throws {
        guard other.words.allSatisfy(\.isSound), (0..<1 << 48).contains(other.unaligned) else {
            throw PluginError(.invalidArgument, "the saved state is damaged: it has words that cannot have been said")
        }
        state.words += other.words
        state.unaligned += other.unaligned
        state.open = other.open
    }

    // MARK: - Telling

    public mutating func finish(_ results: Results) throws {
        guard let run else { throw PluginError(.failed, "there is no model") }
        if hearsSounds { try tellSounds(run, results) } else { try tellTokens(run, results) }
    }

    private func tellSounds(_ run: Run, _ results: Results) throws {
        if state.unaligned > 0 {
            host.log("\(state.unaligned) recordings have no words with phonemes and were passed over", .warning)
        }
        let permutations = permutations
        let study = try SoundStudy(state.words, least: least, permutations: permutations, seed: run.seed) { done in
            guard done % 50 == 0 else { return }
            try host.checkCancellation()
            host.progress(Double(done + 1), of: Double(permutations), unit: "permutations")
        }
        try GlitchReport.tell(study, results)
    }

    private func tellTokens(_ run: Run, _ results: Results) throws {
        let prompt = try Prompt.tokens(host, language: language)
        guard prompt.count + settings.repeats <= run.nTextCtx else {
            throw PluginError(
                .invalidArgument,
                "repeats is \(settings.repeats); behind a prompt of \(prompt.count) tokens \(run.model) reads at most "
                    + "\(run.nTextCtx - prompt.count)")
        }
        let end = try Prompt.special("<|endoftext|>", host), count = min(end.map { Int($0) } ?? run.nVocab, run.nVocab)
        let known =
            try unused.isEmpty ? UnusedTokens.known(host, count: count) : UnusedTokens.parse(unused, count: count)
        var study = TokenStudy(
            try TokenEmbedding(host, run), count: count, unused: known, settings, seed: run.seed)
        let total = study.findings.count
        var done = 0
        try study.verify(prompt: prompt, vocabulary: run.nVocab) { sequences in
            try host.checkCancellation()
            defer {
                done += sequences.count
                host.progress(Double(done), of: Double(total), unit: "tokens")
            }
            return try host.decode(sequences: sequences) { $0.floats() }
        }
        try GlitchReport.tell(study, results, host)
    }
}
