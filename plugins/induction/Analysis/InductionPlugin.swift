import PluginDraws
import PluginKit
import PluginVocabulary

/// Which heads attend to what came before: to what followed the same token or sound (``RepeatedTokens``, ``RepeatedSound``), to the word that
/// is written (``WordSpans``), to one offset, to the end of speech; each beside a null.
public struct InductionPlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.induction", name: "Induction", version: "1.0.0", vendor: "Auscult", licence: "Apache-2.0",
        description: """
            Which heads attend to what came before: repetition in decoder and encoder, the word that is spoken, one \
            offset, the end of speech.
            """,
        needs: Needs(hooks: [crossPatterns], audio: true, decoder: true),
        parameters: [
            .text(
                "parts", default: "decoder,encoder,cross",
                "what is looked at: decoder (random tokens, without recordings), encoder (a sound of each recording, twice), "
                    + "cross (words and their times)"),
            .integer("sequences", default: 12, in: 2...1000, "sequences of random tokens"),
            .integer("tokens", default: 24, in: 2...200, "tokens of each, which come twice"),
            .integer("length", default: 400, in: 60...3000, "milliseconds of the sound that comes twice"),
            .number("tolerance", default: 0.1, in: 0...2, "seconds about a word that count as the word"),
            .text("language", default: "en", "the language that the decoder is told before random tokens"),
        ], outputs: InductionReport.outputs)

    /// What was heard.
    public struct State: Codable {
        var table = HeadTable()
        /// By layer and head of the encoder.
        var offsets: [[OffsetSums]] = []
        /// Recordings in which a sound was played twice, and those that are too short for it.
        var repeated = 0
        var short = 0
        /// Windows with words that are where the data set has them.
        var aligned = 0
    }

    static let encoderPatterns = "encoder.blocks.*.attn.pattern"
    static let crossPatterns = "decoder.blocks.*.cross_attn.pattern"

    public private(set) var state = State()
    private let parts: Set<String>
    private let sequences: Int
    private let tokens: Int
    /// Frames.
    private let length: Int
    private let tolerance: Double
    private let language: String
    private let host: Host
    private var run: Run?
    private var spans = WordSpans()

    public init(arguments: Arguments, host: Host) throws {
        parts = Set(try arguments.list("parts"))
        guard !parts.isEmpty, parts.isSubset(of: ["decoder", "encoder", "cross"]) else {
            throw PluginError(
                .invalidArgument,
                "parts is \"\(try arguments.text("parts"))\", expected some of decoder, encoder and cross between commas"
            )
        }
        sequences = try arguments.integer("sequences")
        tokens = try arguments.integer("tokens")
        length = try arguments.integer("length") / 20
        tolerance = try arguments.number("tolerance")
        language = try arguments.text("language")
        self.host = host
    }

    public var needs: Needs {
        guard parts != ["decoder"] else { return Needs(nothingToHear: true) }
        let crosses = parts.contains("cross")
        return Needs(
            hooks: crosses ? [Self.crossPatterns] : [], audio: parts.contains("encoder"), decoder: crosses)
    }

    public mutating func activate(_ run: Run) throws { self.run = run }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        guard let run else { throw PluginError(.failed, "there is no model") }
        if parts.contains("cross") { try readWords(clip) }
        // The first window of each is enough: later ones are of the same speaker.
        if parts.contains("encoder"), clip.window == 0 { try repeatSound(clip, run) }
    }

    // MARK: - The encoder

    private mutating func repeatSound(_ clip: Clip, _ run: Run) throws {
        let key = Hashing.key(seed: run.seed, purpose: "repeated sound", "\(clip.recording)")
        guard
            let sound = RepeatedSound(
                clip.samples, length: length, window: run.nAudioCtx * RepeatedSound.frame, key: key)
        else {
            state.short += 1
            return
        }
        state.repeated += 1
        host.progress(1, of: 3, unit: "passes over \(clip.name)")
        let repeated = try shares(sound, sound.repeated, clip.name) { _, _, _, _ in }
        host.progress(2, of: 3, unit: "passes over \(clip.name)")
        var (offsets, table) = (state.offsets, state.table)
        let null = try shares(sound, sound.null, clip.name) { layer, head, pattern, keys in
            while offsets.count <= layer { offsets.append([]) }
            while offsets[layer].count <= head { offsets[layer].append(OffsetSums()) }
            // What was recorded, without the piece behind it.
            offsets[layer][head].add(pattern, rows: min(sound.second - RepeatedSound.gap, keys), keys: keys)
            let valid = sound.second + sound.length, width = 25
            guard valid + 2 * width <= keys else { return }
            func mass(_ keysOfSink: Range<Int>) -> Double {
                (0..<valid).reduce(0.0) { sum, query in
                    sum + keysOfSink.reduce(0.0) { $0 + Double(pattern[query * keys + $1]) }
                } / Double(valid)
            }
            table.add(
                .encoderSink, layer: layer, head: head, score: mass(valid..<valid + width),
                null: mass(valid + width..<valid + 2 * width))
        }
        guard repeated.map(\.count) == null.map(\.count) else {
            throw PluginError(.failed, "two runs of the model gave other heads")
        }
        for (layer, heads) in repeated.enumerated() {
            for (head, own) in heads.enumerated() {
                table.add(
                    .encoderInduction, layer: layer, head: head, score: own.induction,
                    null: null[layer][head].induction)
                table.add(
                    .encoderSameSound, layer: layer, head: head, score: own.same, null: null[layer][head].same)
            }
        }
        (state.offsets, state.table) = (offsets, table)
    }

    /// Of each layer and head.
    private func shares(
        _ sound: RepeatedSound, _ samples: [Float], _ name: String,
        _ body: (Int, Int, UnsafeBufferPointer<Float>, Int) -> Void
    ) throws -> [[(induction: Double, same: Double)]] {
        try host.checkCancellation()
        var found: [[(induction: Double, same: Double)]] = []
        let rows = sound.second + sound.length
        try host.run(samples, hooks: [Self.encoderPatterns]) { pattern in
            guard pattern.rank == 3, pattern.shape[1] >= rows, pattern.shape[2] >= rows else {
                throw PluginError(
                    .unsupported,
                    "\(pattern.hook) of \(name) has shape \(pattern.shape); expected heads by at least \(rows) frames each way"
                )
            }
            let keys = pattern.shape[2], layer = found.count
            found.append(
                pattern.slices.enumerated().map { head, slice in
                    slice.withUnsafeFloats { values in
                        body(layer, head, values, keys)
                        return sound.shares(values, keys: keys)
                    }
                })
        }
        return found
    }

    // MARK: - Cross-attention

    private mutating func readWords(_ clip: Clip) throws {
        let rows = try spans.rows(clip, host).enumerated().compactMap { row, span in
            span.map { span in
                let from = ((span.start - tolerance - clip.start) * 50).rounded(.down)
                let to = ((span.end + tolerance - clip.start) * 50).rounded(.up)
                return (row: row, frames: max(0, Int(from))..<max(0, Int(to)))
            }
        }
        guard Set(rows.map(\.frames)).count > 1 else { return }
        state.aligned += 1
        for (layer, pattern) in clip.tensors.filter({ $0.hook.hasSuffix(".cross_attn.pattern") }).enumerated() {
            guard pattern.rank == 3, let last = rows.last, last.row < pattern.shape[1] else {
                throw PluginError(
                    .unsupported,
                    "\(pattern.hook) of \(clip.name) has shape \(pattern.shape), expected [heads, \(clip.tokens.count), frames]"
                )
            }
            for (head, slice) in pattern.slices.enumerated() {
                let (score, null) = slice.withUnsafeFloats { WordSpans.shares($0, keys: pattern.shape[2], rows) }
                state.table.add(.aligner, layer: layer, head: head, score: score, null: null)
            }
        }
    }

    // MARK: - All of them

    public mutating func merge(state other: State) throws {
        guard [other.repeated, other.short, other.aligned].allSatisfy({ (0..<1 << 48).contains($0) }),
            state.table.takes(other.table), other.offsets.joined().allSatisfy(\.isSound),
            state.offsets.isEmpty || other.offsets.isEmpty || state.offsets.map(\.count) == other.offsets.map(\.count)
        else {
            throw PluginError(
                .invalidArgument, "the saved state is damaged: its sums are not what these heads add up to")
        }
        state.table.add(other.table)
        if state.offsets.isEmpty {
            state.offsets = other.offsets
        } else {
            for (layer, heads) in other.offsets.enumerated() {
                for (head, sums) in heads.enumerated() { state.offsets[layer][head].add(sums) }
            }
        }
        state.repeated += other.repeated
        state.short += other.short
        state.aligned += other.aligned
    }

    public mutating func finish(_ results: Results) throws {
        guard let run else { throw PluginError(.failed, "there is no model") }
        if state.short > 0 {
            host.log("\(state.short) recordings are too short or too quiet to play a sound of them twice", .warning)
        }
        if parts.contains("cross"), state.aligned == 0 {
            host.log(
                "no recording has words with their times that the model writes: there are no aligners to tell", .warning
            )
        }
        // The state is what was heard; this comes from nothing but the seed.
        var table = state.table
        var copying: RepeatedTokens.Copying?
        if parts.contains("decoder") {
            let prompt = try Prompt.tokens(host, language: language)
            guard prompt.count + 2 * tokens <= run.nTextCtx else {
                throw PluginError(
                    .invalidArgument,
                    "tokens is \(tokens); twice as many behind a prompt of \(prompt.count) are more than \(run.model) reads "
                        + "(\(run.nTextCtx))")
            }
            let end = try Prompt.special("<|endoftext|>", host)
            let text = min(end.map { Int($0) } ?? run.nVocab, run.nVocab)
            guard text >= 4 * tokens else {
                throw PluginError(
                    .unsupported, "\(run.model) has \(text) tokens of text, too few to draw \(tokens) at random")
            }
            copying = try RepeatedTokens(
                host: host, run: run, prompt: prompt, text: text, length: tokens, sequences: sequences
            ).measure(into: &table)
        }
        try InductionReport(table: table, offsets: state.offsets, copying: copying, state: state).tell(results)
    }
}
