import Dictionaries
import Mel
import PluginKit
import PluginSound

/// From a word back to the sound that it rests on: a graph whose edges are attributions, each held against what the model does without
/// it (``GraphBuilder``), and the smallest part of the spectrogram that keeps the word (``KeptSound``).
public struct WordsPlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.words-to-sounds", name: "From words to sounds", version: "1.0.0", vendor: "Auscult",
        licence: "Apache-2.0",
        description:
            "Which heads, encoder features and parts of the sound a word rests on, each confirmed by taking it away, and the smallest part of the sound that keeps the word.",
        needs: Needs(hooks: [], allFrames: true, audio: true, decoder: true),
        parameters: [
            .text(
                "words", default: "1",
                "which words of what the model writes: numbers from 1, or what they say; several between commas"),
            .text(
                "features", default: "encoder.blocks.*.mlp.1", "hook points whose columns are the encoder's features"),
            .path("dictionary", "the folder of a sparse dictionary, whose latents are the features instead"),
            .integer("cross_heads", default: 4, in: 1...64, "cross-attention heads of the graph"),
            .integer("encoder_features", default: 8, in: 1...256, "encoder features of the graph"),
            .integer("encoder_heads", default: 6, in: 1...64, "encoder heads of the graph"),
            .integer("cells", default: 8, in: 1...256, "mel cells of the graph"),
            .integer("cell_bands", default: 10, in: 1...128, "mel bands of a cell"),
            .integer("cell_frames", default: 5, in: 1...100, "mel frames of a cell, 10 ms each"),
            .text("keep", default: "word", "what the smallest part has to keep: word, or a neuron as HOOK:INDEX"),
            .number(
                "fraction", default: 0.9, in: 0.01...1, "the share of what the sound gives over silence that is kept"),
            .integer("integration", default: 4, in: 1...64, "points of the integrated gradients that order the cells"),
            .integer("listenings", default: 40, in: 1...1000, "parts that are tried at most"),
            .boolean("graph", default: true, "whether to make the graph"),
        ],
        outputs: [
            .table(
                "nodes", title: "What the word rests on",
                "What is attributed to each node, and what the word loses without it"),
            .table(
                "edges", title: "What gives to what",
                "Attribution through the next node, and what that loses without the first"),
            .matrix(
                "attribution", title: "Attribution of the spectrogram",
                "Integrated gradients of each mel cell, frequencies upwards"),
            .matrix("mask", title: "What is kept of the spectrogram", "The log-mel where it is kept; blank elsewhere"),
            .audio("kept", title: "What is kept, with its own phase"),
            .audio("original", title: "The recording"),
            .table("words", title: "Words", "What each keeps, and of how much of its sound"),
            .table(
                "agreement", title: "Attributions and effects",
                "Over all edges: each in units of the largest at the node it points to"),
        ])

    public struct State: Codable {
        var agreement = Agreement()
        var rows: [WordRow] = []
        /// Words that were written at all, and the last list of them.
        var written = 0
        var lastWords = ""
    }

    public private(set) var state = State()
    private let names: [String]
    private let kind: FeatureKind
    private let size: GraphBuilder.Size
    private let cellBands, cellFrames: Int
    private let keeping: Keeping
    private let fraction: Double
    private let integration, listenings: Int
    private let makesGraph: Bool
    private let host: Host
    private var bands = 80
    private let steps = Steps()

    public init(arguments: Arguments, host: Host) throws {
        names = try arguments.list("words").filter { !$0.isEmpty }
        guard !names.isEmpty else {
            throw PluginError(.invalidArgument, "words is empty; expected numbers from 1 or words, between commas")
        }
        if let folder = try arguments.path("dictionary") {
            kind = .latents(try Self.dictionary(folder), folder: folder)
        } else {
            let globs = try arguments.list("features").filter { !$0.isEmpty }
            guard !globs.isEmpty, globs.allSatisfy({ $0.hasPrefix("encoder.") }) else {
                throw PluginError(
                    .invalidArgument,
                    "features is \"\(try arguments.text("features"))\"; expected hook points of the encoder")
            }
            kind = .neurons(globs)
        }
        size = GraphBuilder.Size(
            crossHeads: try arguments.integer("cross_heads"), features: try arguments.integer("encoder_features"),
            encoderHeads: try arguments.integer("encoder_heads"), cells: try arguments.integer("cells"))
        cellBands = try arguments.integer("cell_bands")
        cellFrames = try arguments.integer("cell_frames")
        keeping = try Keeping(arguments.text("keep"))
        fraction = try arguments.number("fraction")
        integration = try arguments.integer("integration")
        listenings = try arguments.integer("listenings")
        makesGraph = try arguments.boolean("graph")
        self.host = host
    }

    private static func dictionary(_ folder: String) throws -> SparseDictionary {
        let read: SparseDictionary
        do { read = try SparseDictionary.read(folder) } catch let error as DictionaryError {
            throw PluginError(.invalidArgument, error.message)
        }
        guard read.hook.hasPrefix("encoder."), read.normalisation == .none else {
            throw PluginError(
                .unsupported,
                "\(folder) is a dictionary at \"\(read.hook)\" with normalisation \(read.normalisation.rawValue); expected one of "
                    + "the encoder's, without normalisation")
        }
        return read
    }

    public mutating func activate(_ run: Run) throws { bands = run.nMels }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        // Shorter sounds have no frame of a log-mel, whatever is written of them.
        guard clip.samples.count >= LogMel.hop else { return }
        let tokens = Array(clip.tokens), written = WrittenWords(try host.pieces(tokens))
        state.written += written.words.count
        if !written.words.isEmpty { state.lastWords = written.list }
        var seen: [WrittenWord] = []
        for word in names.flatMap(written.named) where !seen.contains(word) {
            seen.append(word)
            // The first token that is read has nothing before it to be written behind.
            guard word.tokens.lowerBound > 0 else { continue }
            try follow(word, tokens, clip, results)
        }
    }

    private mutating func follow(_ word: WrittenWord, _ tokens: [Int32], _ clip: Clip, _ results: Results) throws {
        let samples = Array(clip.samples)
        let listener = Listener(host: host, files: ObjectiveFiles(in: try host.folder()), tokens: tokens, word: word)
        let heard = try listener.pass(.samples(samples), hooks: ["log_mel"], decodes: false).value("log_mel")
        guard heard.shape.count == 2, heard.shape[0] == bands else {
            throw PluginError(.unsupported, "log_mel has shape \(heard.shape); expected [\(bands), frames]")
        }
        let cells = MelCells(
            mel: heard.values, bands: bands, valid: samples.count / LogMel.hop, cellBands: cellBands,
            cellFrames: cellFrames)
        let host = host, steps = steps
        let progress = { host.progress(Double(steps.next()), of: 1e6, unit: "passes") }
        let place = clip.windowCount > 1 ? "\(clip.name), window \(clip.window + 1)" : clip.name
        let label = "\(place): \(word.text) (\(word.number))"
        if makesGraph {
            let builder = GraphBuilder(listener, kind, size, cells, progress: progress)
            let (graph, _) = try builder.graph(name: word.text, start: clip.start)
            state.agreement.add(graph)
            try results.emit(
                "nodes", .table(columns: Graph.nodeColumns, rows: graph.nodeRows), recording: label)
            try results.emit(
                "edges", .table(columns: Graph.edgeColumns, rows: graph.edgeRows), recording: label)
        }
        let kept = try KeptSound(
            listener: listener, keeping: keeping, cells: cells, samples: samples, fraction: fraction,
            integration: integration, listenings: listenings, progress: progress
        ).result()
        let says = kept.kept == nil ? "" : try host.transcribe(kept.samples).trimmed
        state.rows.append(WordRow(recording: place, word: word, kept, says: says))
        try emit(kept, clip, label, cells, results)
    }

    private func emit(
        _ kept: KeptSound.Result, _ clip: Clip, _ label: String, _ cells: MelCells, _ results: Results
    ) throws {
        let picture = MelPicture(kept.attributions, bands: bands, start: clip.start)
        try results.emit(
            "attribution", .matrix(picture.values, rows: bands, columns: picture.frames, axes: picture.axes),
            recording: label)
        try results.emit(
            "original", .audio(Array(clip.samples), sampleRate: LogMel.sampleRate), recording: label)
        guard kept.kept != nil else { return }
        let frames = kept.mask.count / bands
        let shown = kept.mask.indices.map { at in
            kept.mask[at] > 0 ? cells.mel[at / frames * cells.context + at % frames] : .nan
        }
        let mask = MelPicture(shown, bands: bands, start: clip.start)
        try results.emit(
            "mask", .matrix(mask.values, rows: bands, columns: mask.frames, axes: mask.axes), recording: label,
            mayBeNaN: true)
        try results.emit("kept", .audio(kept.samples, sampleRate: LogMel.sampleRate), recording: label)
    }

    public mutating func merge(state other: State) throws {
        guard other.agreement.isSound, other.written >= 0, other.rows.allSatisfy(\.isSound) else {
            throw PluginError(.invalidArgument, "the saved state is damaged: its sums are not what words add up to")
        }
        state.agreement.add(other.agreement)
        state.rows += other.rows
        state.written += other.written
        if !other.lastWords.isEmpty { state.lastWords = other.lastWords }
    }

    public mutating func finish(_ results: Results) throws {
        if state.rows.isEmpty, state.written > 0 {
            throw PluginError(
                .notFound,
                "none of the recordings has the words \(names.joined(separator: ", ")); the last one has "
                    + String(state.lastWords.prefix(400)))
        }
        try results.emit(
            "words", .table(columns: WordRow.columns, rows: state.rows.map(\.row)), mayBeNaN: true)
        if makesGraph {
            try results.emit(
                "agreement", .table(columns: Agreement.columns, rows: state.agreement.rows), mayBeNaN: true)
        }
    }
}

/// Counts the passes of a run: progress has to be further than before, whichever word it is of.
private final class Steps {
    private var count = 0
    func next() -> Int {
        count += 1
        return count
    }
}
