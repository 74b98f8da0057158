import PluginKit
import PluginTranscripts

/// What is written as the window of the encoder's attention falls (scores outside |q − k| ≤ window are −∞): for all heads, for those that
/// are measured to look near, for the others, or for one.
public struct WindowSweepPlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.window-sweep", name: "Window sweep", version: "1.0.0", vendor: "Auscult",
        licence: "Apache-2.0",
        description:
            "Transcripts and word errors as the window of the encoder's attention falls, of all heads, of those that look near, of the others, or of one.",
        needs: Needs(hooks: [pattern("*")], audio: true),
        parameters: [
            .text("windows", default: "1500,100,75,50,20,10", "frames of 20 ms to each side that heads may look"),
            .text(
                "heads", default: "all,local,others",
                "whose attention is limited: all, local (those with local-share of their mass within local-width), others, or one as 2.5, "
                    + "block and head, with commas between"),
            .integer("local-width", default: 10, in: 0...1500, "frames to each side that are near"),
            .number("local-share", default: 0.5, in: 0...1, "a head with this much of its mass near is local"),
            .integer(
                "kept", default: 40, in: 1...500,
                "recordings, the first ones, for local heads and others: who they are is known when all were heard"),
            Transcriber.parameter,
        ],
        outputs: SweepReport.outputs)

    /// What was heard.
    public struct State: Codable {
        var recordings: [SweptRecording] = []
        var reaches: [HeadReach] = []
        var gatherer = RecordingGatherer()
        var kept = KeptRecordings()
    }

    public private(set) var state = State()
    private let windows: [Int]
    private let scopes: [Scope]
    private let localWidth: Int
    private let localShare: Double
    private let kept: Int
    private let transcriber: Transcriber
    private let host: Host
    private var run: Run?

    public init(arguments: Arguments, host: Host) throws {
        windows = try arguments.list("windows").map {
            guard let window = Int($0), (0...100_000).contains(window) else {
                throw PluginError(.invalidArgument, "windows has \"\($0)\"; expected frames, as 100,50,10")
            }
            return window
        }
        scopes = try arguments.list("heads").map(Scope.init(parsing:))
        guard !windows.isEmpty, !scopes.isEmpty else {
            throw PluginError(.invalidArgument, "windows or heads is empty; expected as 100,50,10 and as all,local,2.5")
        }
        localWidth = try arguments.integer("local-width")
        localShare = try arguments.number("local-share")
        kept = try arguments.integer("kept")
        transcriber = Transcriber(host: host, language: try arguments.text("language"))
        self.host = host
    }

    private static func pattern(_ layer: String) -> String { "encoder.blocks.\(layer).attn.pattern" }

    public mutating func activate(_ run: Run) throws {
        for case .one(let layer, let head) in scopes where layer >= run.nAudioLayer || head >= run.nAudioHead {
            throw PluginError(
                .invalidArgument,
                "heads has \(layer).\(head); the encoder of \(run.model) has blocks 0 to \(run.nAudioLayer - 1) of heads 0 to "
                    + "\(run.nAudioHead - 1)")
        }
        self.run = run
    }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        guard let run else { throw PluginError(.failed, "a clip came before the model") }
        for layer in 0..<run.nAudioLayer { try measure(clip.tensor(Self.pattern(String(layer))), layer, clip) }
        guard let recording = state.gatherer.add(clip) else { return }
        let unchanged = try transcriber.text(recording)
        let isReferenceOwn = Words.of(recording.text).isEmpty
        var swept = SweptRecording(
            recording: recording.recording, name: recording.name,
            reference: isReferenceOwn ? unchanged : recording.text, isReferenceOwn: isReferenceOwn,
            unchanged: unchanged, texts: [:])
        for (place, scope) in scopes.enumerated() where !scope.isMeasured {
            swept.texts[scope.name] = try texts(recording, unchanged: unchanged, done: place) {
                scope.interventions($0)
            }
        }
        state.recordings.append(swept)
        if scopes.contains(where: \.isMeasured) { state.kept.add(recording, atMost: kept) }
    }

    private mutating func measure(_ pattern: TensorView, _ layer: Int, _ clip: Clip) throws {
        guard pattern.rank == 3 else {
            throw PluginError(
                .unsupported, "\(pattern.hook) of \(clip.name) has shape \(pattern.shape), expected three axes")
        }
        let (heads, rows, keys) = (pattern.shape[0], pattern.shape[1], pattern.shape[2])
        for head in 0..<heads {
            var reach = HeadReach(layer: layer, head: head)
            pattern.slice(head).withUnsafeFloats {
                reach.add($0, valid: min(rows, clip.validFrames), keys: keys, width: localWidth)
            }
            add(reach)
        }
    }

    private mutating func add(_ reach: HeadReach) {
        if let place = state.reaches.firstIndex(where: { $0.layer == reach.layer && $0.head == reach.head }) {
            state.reaches[place].add(reach)
        } else {
            state.reaches.append(reach)
        }
    }

    /// A transcript for each window. One as wide as the context leaves every bit as it was, so it is not written down again.
    private func texts(
        _ recording: HeardRecording, unchanged: String, done: Int, _ interventions: (Int) -> [String]
    ) throws -> [String] {
        try windows.enumerated().map { place, window in
            host.progress(
                Double(done * windows.count + place), of: Double(scopes.count * windows.count), unit: "transcripts")
            let changes = interventions(window)
            return window >= run?.nAudioCtx ?? 0 || changes.isEmpty
                ? unchanged : try transcriber.text(recording, changes)
        }
    }

    public mutating func merge(state other: State) throws {
        let counts = Set(other.recordings.flatMap { $0.texts.values.map(\.count) })
        guard other.reaches.allSatisfy(\.isSound), other.gatherer.isSound, other.kept.isSound,
            counts.isSubset(of: [windows.count])
        else {
            throw PluginError(.invalidArgument, "the saved state is damaged: it is not what recordings add up to")
        }
        state.recordings += other.recordings
        for reach in other.reaches { add(reach) }
        state.gatherer.merge(other.gatherer)
        state.kept.merge(other.kept, atMost: kept)
    }

    public mutating func finish(_ results: Results) throws {
        guard let run else { throw PluginError(.failed, "finish came before the model") }
        state.gatherer.tell(host)
        let heads = state.reaches.map { (layer: $0.layer, head: $0.head, isLocal: $0.share >= localShare) }
        var recordings = state.recordings.sorted { $0.recording < $1.recording }
        for (number, recording) in state.kept.all.enumerated() {
            guard let place = recordings.firstIndex(where: { $0.recording == recording.recording }) else { continue }
            host.progress(Double(number), of: Double(state.kept.all.count), unit: "recordings")
            for (done, scope) in scopes.enumerated() where scope.isMeasured {
                recordings[place].texts[scope.name] = try texts(
                    recording, unchanged: recordings[place].unchanged, done: done
                ) { scope.interventions($0, heads) }
            }
        }
        try SweepReport(
            run: run, windows: windows, scopes: scopes, recordings: recordings,
            reaches: state.reaches.sorted { ($0.layer, $0.head) < ($1.layer, $1.head) }, localShare: localShare
        ).emit(results)
    }
}
