import Heads
import PluginKit
import PluginTranscripts

/// What a model makes of more and of less than one speaker: features that jump at a seam between two, transcripts of two at once, and what is
/// written where nobody speaks, with what confidence, and by which heads.
public struct SpeakersAndNoisePlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.speakers-and-noise", name: "Speakers and noise", version: "1.0.0", vendor: "Auscult",
        licence: "Apache-2.0",
        description:
            "Features that jump where the speaker changes, what is written of two speakers at once, and what is written where nobody speaks, "
            + "with what confidence and by which heads.",
        needs: Needs(audio: true), parameters: parameters, outputs: outputs)

    /// What was heard.
    public struct State: Codable {
        var speech = KeptRecordings()
        var nonSpeech = KeptRecordings()
        var inventions: [Invention] = []
        /// Of sounds for which words are written.
        var census = Census()
        var gatherer = RecordingGatherer()
    }

    /// Sounds without speech that are knocked out together, at most.
    private static let mostNonSpeech = 100
    /// Recordings with speech on which that is judged.
    private static let judged = 5

    public private(set) var state = State()
    private let settings: Settings
    private let transcriber: Transcriber
    private let host: Host
    private var run: Run?
    private var heads: [AttentionHead] = []

    public init(arguments: Arguments, host: Host) throws {
        settings = try Settings(arguments)
        transcriber = Transcriber(host: host, language: try arguments.text("language"))
        self.host = host
    }

    public mutating func activate(_ run: Run) throws {
        self.run = run
        heads = AttentionHead.all(settings.kinds, in: run)
        if let entry = state.census.entries.first, entry.knockedOut.count != heads.count {
            throw PluginError(
                .invalidArgument,
                "the saved state is of \(entry.knockedOut.count) heads, and \(run.model) has \(heads.count)")
        }
    }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        guard let run else { throw PluginError(.failed, "a clip came before the model") }
        guard let recording = state.gatherer.add(clip) else { return }
        if settings.nonSpeech?.contains(recording) ?? false {
            state.nonSpeech.add(recording, atMost: Self.mostNonSpeech)
            try invent(recording, run, &state.inventions, &state.census)
        } else if recording.labels[settings.speaker]?.isEmpty == false {
            state.speech.add(recording, atMost: settings.kept)
        }
    }

    /// Heads are knocked out where words are written.
    private func invent(
        _ recording: HeardRecording, _ run: Run, _ inventions: inout [Invention], _ census: inout Census
    ) throws {
        let invention = try Invention(
            recording, column: settings.nonSpeech?.column, run: run, by: transcriber)
        inventions.append(invention)
        guard invention.words > 0 else { return }
        census.add(
            try Census.Entry(recording, isNonSpeech: true, without: heads, settings.change, by: transcriber))
    }

    public mutating func merge(state other: State) throws {
        guard other.speech.isSound, other.nonSpeech.isSound, other.census.isSound, other.gatherer.isSound,
            other.inventions.allSatisfy(\.isSound)
        else { throw PluginError(.invalidArgument, "the saved state is damaged: its numbers are not those of sounds") }
        let counts = Set((state.census.entries + other.census.entries).map(\.knockedOut.count))
        guard counts.count <= 1 else {
            throw PluginError(
                .invalidArgument, "the saved states are of different numbers of heads: \(counts.sorted())")
        }
        state.speech.merge(other.speech, atMost: settings.kept)
        state.nonSpeech.merge(other.nonSpeech, atMost: Self.mostNonSpeech)
        state.inventions += other.inventions
        state.census.merge(other.census)
        state.gatherer.merge(other.gatherer)
    }

    public mutating func finish(_ results: Results) throws {
        guard let run else { throw PluginError(.failed, "finish came before the model") }
        state.gatherer.tell(host)
        let report = SpeakersReport(settings: settings, results: results)
        let pairs = SplicedPair.drawn(
            from: state.speech.all, speaker: settings.speaker, atMost: max(settings.splices, settings.overlaps),
            seed: run.seed)
        var sentences = [try jumps(pairs, run, report), try overlaps(pairs, run, report)]

        var (inventions, census) = (state.inventions, state.census)
        var sounds = state.nonSpeech.all
        if settings.isMade {
            let made = Splicing.made(seed: run.seed)
            for (place, sound) in made.enumerated() {
                host.progress(Double(place), of: Double(made.count), unit: "sounds")
                let recording = HeardRecording(
                    recording: .max - UInt64(made.count - place), name: sound.name, samples: sound.samples,
                    labels: settings.nonSpeech.map { [$0.column: "made"] } ?? [:])
                try invent(recording, run, &inventions, &census)
                sounds.append(recording)
            }
        }
        let findings = census.findings(heads, seed: run.seed)
        let company = HeadCompany(
            transcriber: transcriber, census: census, heads: heads, change: settings.change,
            speech: Array(state.speech.all.filter { !Words.of($0.text).isEmpty }.prefix(Self.judged)),
            nonSpeech: sounds.filter { sound in census.entries.contains { $0.recording == sound.recording } })
        let groups = try company.groups(findings.mostInventive(settings.together).map(\.head))
        sentences.append(
            try report.emit(inventions.sorted { $0.recording < $1.recording }, census, findings, groups))
        try results.emit("summary", .text(sentences.joined(separator: " ")))
    }

    private func jumps(_ pairs: [SplicedPair], _ run: Run, _ report: SpeakersReport) throws -> String {
        var study = JumpStudy(seed: run.seed)
        let speakers = Set(pairs.map(\.speaker)), chosen = pairs.prefix(settings.splices)
        for (place, pair) in chosen.enumerated() {
            try host.checkCancellation()
            host.progress(Double(place), of: Double(chosen.count), unit: "splices")
            guard let end = Splicing.end(of: pair.first.samples, seconds: settings.side),
                let same = Splicing.beginning(of: pair.same.samples, seconds: settings.side),
                let other = Splicing.beginning(of: pair.other.samples, seconds: settings.side)
            else { continue }
            for (behind, isChange) in [(other, true), (same, false)] {
                let samples = Splicing.splice(end, behind, gap: settings.gap)
                if isChange, study.pairs == 0 {
                    try report.emit("splice", samples, "\(pair.first.name), then \(pair.other.name)")
                }
                try study.add(
                    samples, seam: (settings.side, settings.side + settings.gap), span: settings.span,
                    isChange: isChange,
                    isFound: SplicedPair.isFound(pair.speaker, among: speakers, seed: run.seed),
                    hooks: settings.hooks, host: host)
            }
        }
        return try report.emit(study, speakers: speakers.count)
    }

    private func overlaps(_ pairs: [SplicedPair], _ run: Run, _ report: SpeakersReport) throws -> String {
        let chosen = pairs.filter { !Words.of($0.first.text).isEmpty && !Words.of($0.other.text).isEmpty }
            .prefix(settings.overlaps)
        var overlaps: [Overlap] = []
        for (place, pair) in chosen.enumerated() {
            host.progress(Double(place), of: Double(chosen.count), unit: "overlaps")
            for level in settings.levels {
                overlaps.append(
                    try Overlap(pair, decibels: level, run: run, by: transcriber))
            }
            if place == 0, let level = settings.levels.first {
                try report.emit(
                    "overlap", Splicing.mix(pair.first.samples, pair.other.samples, decibels: level),
                    "\(pair.first.name) and \(pair.other.name)")
            }
        }
        return try report.emit(overlaps)
    }
}
