import PluginKit
import PluginTranscripts

/// Every head of a model knocked out alone: word errors where somebody speaks, and words written where nobody does; then pairs of the most
/// harmful heads, and those together that write most where there is nothing to write.
public struct HeadsPlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.heads", name: "Head census", version: "1.0.0", vendor: "Auscult", licence: "Apache-2.0",
        description:
            "What each head of attention is needed for: word errors and words written where nobody speaks, with each head knocked out alone, "
            + "and with pairs of the most harmful.",
        needs: Needs(audio: true),
        parameters: AttentionHead.parameters + [
            .text("layers", "numbers of blocks, with commas between; empty for all"),
            ColumnValues.nonSpeech,
            .integer("worst", default: 6, in: 0...20, "most harmful heads that are knocked out in pairs; 0 for none"),
            .integer(
                "together", default: 3, in: 0...10,
                "heads that write most where nobody speaks, which are knocked out together; 0 for none"),
            .integer(
                "kept", default: 10, in: 1...200,
                "recordings with speech, the first ones, and as many without, on which heads are knocked out together"),
            Transcriber.parameter,
        ],
        outputs: CensusReport.outputs)

    /// What was heard.
    public struct State: Codable {
        var census = Census()
        var gatherer = RecordingGatherer()
        var speech = KeptRecordings()
        var nonSpeech = KeptRecordings()
    }

    public private(set) var state = State()
    private let settings: Settings
    private let transcriber: Transcriber
    private let host: Host
    private var run: Run?
    private var heads: [AttentionHead] = []

    struct Settings {
        let kinds: [AttentionHead.Kind]
        let layers: [Int]
        let change: AttentionHead.Change
        let nonSpeech: ColumnValues?
        let worst, together, kept: Int
    }

    public init(arguments: Arguments, host: Host) throws {
        settings = Settings(
            kinds: try AttentionHead.kinds(arguments),
            layers: try arguments.list("layers").map {
                guard let layer = Int($0), layer >= 0 else {
                    throw PluginError(.invalidArgument, "layers has \"\($0)\", expected numbers of blocks from 0")
                }
                return layer
            },
            change: try AttentionHead.change(arguments),
            nonSpeech: try ColumnValues(parsing: arguments.text("nonspeech"), parameter: "nonspeech"),
            worst: try arguments.integer("worst"), together: try arguments.integer("together"),
            kept: try arguments.integer("kept"))
        transcriber = Transcriber(host: host, language: try arguments.text("language"))
        self.host = host
    }

    public mutating func activate(_ run: Run) throws {
        self.run = run
        heads = AttentionHead.all(settings.kinds, layers: settings.layers, in: run)
        let counts = Set(settings.kinds.map { AttentionHead.count(of: $0, in: run).layers })
        guard let most = counts.max(), settings.layers.allSatisfy({ $0 < most }) else {
            throw PluginError(
                .invalidArgument,
                "layers has \(settings.layers.map(String.init).joined(separator: ", ")), and \(run.model) has blocks 0 to "
                    + "\((counts.max() ?? 1) - 1)")
        }
        if let entry = state.census.entries.first, entry.knockedOut.count != heads.count {
            throw PluginError(
                .invalidArgument,
                "the saved state is of \(entry.knockedOut.count) heads, and \(run.model) has \(heads.count)")
        }
    }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        guard let recording = state.gatherer.add(clip) else { return }
        let isNonSpeech = settings.nonSpeech?.contains(recording) ?? false
        let entry = try Census.Entry(
            recording, isNonSpeech: isNonSpeech, without: heads, settings.change, by: transcriber)
        state.census.add(entry)
        if isNonSpeech {
            state.nonSpeech.add(recording, atMost: settings.kept)
        } else if entry.isSpeech {
            state.speech.add(recording, atMost: settings.kept)
        }
    }

    public mutating func merge(state other: State) throws {
        guard other.census.isSound, other.gatherer.isSound, other.speech.isSound, other.nonSpeech.isSound else {
            throw PluginError(.invalidArgument, "the saved state is damaged: its numbers are not those of transcripts")
        }
        let counts = Set((state.census.entries + other.census.entries).map(\.knockedOut.count))
        guard counts.count <= 1 else {
            throw PluginError(
                .invalidArgument, "the saved states are of different numbers of heads: \(counts.sorted())")
        }
        state.census.merge(other.census)
        state.gatherer.merge(other.gatherer)
        state.speech.merge(other.speech, atMost: settings.kept)
        state.nonSpeech.merge(other.nonSpeech, atMost: settings.kept)
    }

    public mutating func finish(_ results: Results) throws {
        guard let run else { throw PluginError(.failed, "finish came before the model") }
        state.gatherer.tell(host)
        let findings = state.census.findings(heads, seed: run.seed)
        let company = HeadCompany(
            transcriber: transcriber, census: state.census, heads: heads, change: settings.change,
            speech: state.speech.all, nonSpeech: state.nonSpeech.all)
        let pairs = try company.pairs(findings.mostHarmful(settings.worst).map(\.head))
        let groups = try company.groups(findings.mostInventive(settings.together).map(\.head))
        try CensusReport(
            census: state.census, run: run, kinds: settings.kinds, findings: findings, pairs: pairs, groups: groups
        ).emit(results)
    }
}
