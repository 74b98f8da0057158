import PluginKit

/// What each block of the decoder would say if it were the last (``LogitLens``), and what the decoder writes when it reads an earlier block
/// of the encoder (``EncoderLens``).
public struct LensPlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.lens", name: "Lens", version: "1.0.0", vendor: "Auscult", licence: "Apache-2.0",
        description: """
            What each decoder block would say if it were the last, and what the decoder writes when it reads an earlier \
            block of the encoder.
            """,
        needs: Needs(hooks: LogitLens.hooks, audio: true, decoder: true),
        parameters: [
            .boolean(
                "encoder", default: true, "whether to transcribe from each block of the encoder: a transcript each"),
            .boolean("tokens", default: true, "whether to tell and draw every token of each recording"),
            .text(
                "language", "the language of the transcripts; empty: the recordings' own label, or what the model hears"
            ),
        ], outputs: LensReport.outputs)

    public private(set) var state = LensState()
    private let host: Host
    private let language: String
    private let readsEncoder: Bool
    private let tellsTokens: Bool
    private var run: Run?
    private var lens: LogitLens?
    private var texts: [Int: String] = [:]

    public init(arguments: Arguments, host: Host) throws {
        readsEncoder = try arguments.boolean("encoder")
        tellsTokens = try arguments.boolean("tokens")
        language = try arguments.text("language")
        self.host = host
    }

    public var needs: Needs { Needs(hooks: LogitLens.hooks, audio: readsEncoder, decoder: true) }

    public mutating func activate(_ run: Run) throws { self.run = run }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        guard let run else { throw PluginError(.failed, "there is no model") }
        if clip.window == 0 { state.open = .init() }
        try readDecoder(clip, run, results)
        if readsEncoder { try readEncoder(clip, run) }
        guard clip.isLastWindow else { return }
        state.recordings += 1
        try tell(clip, results)
        state.open = .init()
    }

    // MARK: - The decoder

    private mutating func readDecoder(_ clip: Clip, _ run: Run, _ results: Results) throws {
        guard let begin = try firstPosition(clip) else { return }
        let lens = try self.lens ?? LogitLens(Unembedding(host, run))
        self.lens = lens
        let reading = try lens.read(clip, from: begin) { done, all in
            try host.checkCancellation()
            host.progress(Double(done), of: Double(all), unit: "layers of window \(clip.window + 1) of \(clip.name)")
        }
        let count = reading.predictions.count
        if state.layers.isEmpty {
            state.layers = Array(repeating: LayerSums(), count: count)
            state.settled = Array(repeating: 0, count: count)
        }
        guard state.layers.count == count else {
            throw PluginError(.unsupported, "\(clip.name) came with \(count) layers, expected \(state.layers.count)")
        }
        for place in reading.final.indices {
            let column = reading.predictions.map { $0[place] }
            for (layer, prediction) in column.enumerated() { state.layers[layer].add(prediction) }
            let unsettled = column.lastIndex { $0.top != reading.final[place] }
            // Equal logits aside, the last block says what the model says.
            state.settled[min(unsettled.map { $0 + 1 } ?? 0, count - 1)] += 1
            guard tellsTokens else { continue }
            state.open.positions.append(
                .init(
                    window: clip.window, position: begin + place, read: Int(clip.tokens[begin + place]),
                    final: reading.final[place], tops: column.map(\.top), ranks: column.map(\.rank),
                    logProbabilities: column.map(\.logProbability)))
        }
        if tellsTokens { try drawTokens(clip, reading, results) }
    }

    /// The last token of the prompt, behind which the transcript begins; nil where the decoder read nothing.
    private mutating func firstPosition(_ clip: Clip) throws -> Int? {
        var prompt = 0
        for token in clip.tokens {
            let text = try text(of: Int(token))
            guard text.hasPrefix("<|"), text.hasSuffix("|>") else { break }
            prompt += 1
        }
        return clip.tokens.isEmpty ? nil : max(0, prompt - 1)
    }

    private mutating func text(of token: Int) throws -> String {
        if let known = texts[token] { return known }
        let text = try host.decode([Int32(clamping: token)])
        texts[token] = text
        return text
    }

    private mutating func drawTokens(_ clip: Clip, _ reading: LogitLens.Reading, _ results: Results) throws {
        let labels = try reading.final.enumerated().map { "\($0 + 1)\(try text(of: $1))" }
        let name = clip.windowCount > 1 ? "\(clip.name), window \(clip.window + 1)" : clip.name
        try results.emit(
            "map",
            .matrix(
                reading.predictions.flatMap { $0.map(\.logProbability) }, rows: reading.predictions.count,
                columns: labels.count,
                axes: [
                    Axis("layer", labels: reading.predictions.indices.map(LogitLens.name)),
                    Axis("token", labels: labels),
                ]), recording: name)
    }

    // MARK: - The encoder

    private mutating func readEncoder(_ clip: Clip, _ run: Run) throws {
        let samples = Array(clip.samples), stages = run.nAudioLayer + 1
        if state.open.texts.count != stages { state.open.texts = Array(repeating: "", count: stages) }
        guard !samples.isEmpty else { return }
        let language = self.language.isEmpty ? clip.labels["language"] ?? "" : self.language
        for stage in 0..<stages {
            try host.checkCancellation()
            let written = try host.transcribe(
                samples, language: language,
                interventions: EncoderLens.interventions(stage, blocks: run.nAudioLayer))
            state.open.texts[stage] += (state.open.texts[stage].isEmpty ? "" : " ") + written.trimmed
            host.progress(
                Double(stage + 1), of: Double(stages), unit: "stages of window \(clip.window + 1) of \(clip.name)")
        }
    }

    // MARK: - Telling

    private mutating func tell(_ clip: Clip, _ results: Results) throws {
        if tellsTokens, !state.open.positions.isEmpty {
            var texts: [Int: String] = [:]
            for position in state.open.positions {
                for token in [position.read, position.final] + position.tops { texts[token] = try text(of: token) }
            }
            try results.emit("tokens", LensReport.tokens(state.open.positions, texts), recording: clip.name)
        }
        guard readsEncoder, let whole = state.open.texts.last else { return }
        let text = clip.labels["text"].flatMap { $0.isEmpty ? nil : $0 }
        if state.stages.isEmpty { state.stages = Array(repeating: .init(), count: state.open.texts.count) }
        guard state.stages.count == state.open.texts.count else {
            throw PluginError(
                .unsupported,
                "the encoder has \(state.open.texts.count - 1) blocks, before it had \(state.stages.count - 1)")
        }
        for (stage, written) in state.open.texts.enumerated() {
            state.stages[stage].add(written, whole: whole, text: text)
        }
        try results.emit(
            "texts", LensReport.texts(state.open.texts, text), recording: clip.name, mayBeNaN: true)
    }

    public mutating func merge(state other: LensState) throws {
        guard state.takes(other) else {
            throw PluginError(
                .invalidArgument, "the saved state is damaged: its sums are not what these layers add up to")
        }
        state.add(other)
    }

    public mutating func finish(_ results: Results) throws { try LensReport.tell(state, results) }
}

extension String {
    /// Without spaces at its ends.
    fileprivate var trimmed: String {
        let end = lastIndex { !$0.isWhitespace }.map(index(after:)) ?? startIndex
        return String(self[..<end].drop { $0.isWhitespace })
    }
}
