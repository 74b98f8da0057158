import Audio
import Foundation
import TensorFiles
import Whisper

/// The decoder: its first token, its steps, beams, prompts side by side; beside peers that find the same tokens.
struct DecoderBench {
    let session: Session
    let sound: BenchSound
    /// Steps that are timed, after the first token.
    private static let steps = 64

    init(_ session: Session) throws {
        self.session = session
        sound = try BenchSound(session)
    }

    func run() throws {
        for model in try session.benchModels() {
            let cast = Cast(session, model)
            defer { cast.close() }
            for threads in try session.options.threadCounts {
                try greedy(model, cast, threads: threads)
                try beams(model, cast, threads: threads)
                try prompts(model, cast, threads: threads)
            }
            try TranscriptionBench(session: session, sound: sound).run(model, cast)
        }
    }

    private func work(_ kind: Work.Kind, _ model: BenchModel, threads: Int) throws -> Work {
        var work = Work(kind)
        let (mel, frames) = try sound.mel(bands: model.dimensions.nMels, seconds: 30)
        (work.mel, work.frames, work.threads, work.prompt) = (mel, frames, threads, model.prompt)
        work.sizes = [model.endOfText]
        return work
    }

    private func peers(_ cast: Cast, _ names: [String] = ["openai-whisper", "transformers", "ctranslate2"])
        -> [(String, Contender, String?)]
    {
        names.flatMap { name -> [(String, Contender, String?)] in
            guard let peer = cast.peer(name) else { return [] }
            return name == "ctranslate2"
                ? ["float32", "int8"].map { (type: String) in ("ctranslate2 " + type, peer, type) }
                : [(name, peer, nil)]
        }
    }

    // MARK: - Token by token

    private func greedy(_ model: BenchModel, _ cast: Cast, threads: Int) throws {
        let bytes = try weightBytes(model)
        let read = ModelCost.decoderWeights(model.dimensions) * bytes
        let audio = ModelCost.decoderAudioElements(model.dimensions) * 4
        for count in [1, Self.steps + 1] {
            var work = try work(.greedy, model, threads: threads)
            work.count = count
            var entries = cast.ours(threads: threads).map { Rounds.Entry($0.name, $0, work, reference: "auscult") }
            for (name, peer, variant) in peers(cast) {
                var work = work
                work.variant = variant
                entries.append(Rounds.Entry(name, peer, work, reference: "auscult"))
            }
            for index in entries.indices where count > 1 {
                entries[index].pieces = Double(Self.steps)
                entries[index].limit = .bytes((read + audio) * Double(Self.steps))
            }
            guard !entries.isEmpty else { return }
            let peak = session.peak(threads: threads)
            let outcomes = session.rounds(peak, threads: threads).run(entries)
            let quantity = Quantity(count > 1 ? "ms/token" : "ms") { seconds, _ in seconds * 1e3 }
            var table = Table(
                "decoder: \(model.name), " + (count > 1 ? "a token" : "the first token") + ", \(Self.threads(threads))",
                rows: peak.rows + outcomes.measurements(quantity, peak: peak, note: Self.tokens(outcomes)))
            table.remarks =
                count > 1
                ? [
                    "The likeliest of the ordinary tokens, \(Self.steps) steps after the first.",
                    String(
                        format:
                            "A token reads %.1f MB of weights at %.0f bytes each, as the file has them, and %.1f MB of the audio's "
                            + "keys and values in float32; the limit is reading them from memory once.",
                        read / 1e6, bytes, audio / 1e6),
                ]
                : [
                    "From the encoder's output: keys and values of the audio, \(model.prompt.count) tokens of the prompt."
                ]
            session.report.add(table)
        }
    }

    /// Bytes of a weight in the checkpoint's file.
    private func weightBytes(_ model: BenchModel) throws -> Double {
        let file = try SafetensorsFile(path: model.path + "/model.safetensors")
        let name = file.names.first { $0.hasSuffix("decoder.embed_tokens.weight") }
        switch name.flatMap({ file.elementType(of: $0) }) {
        case .float16?, .bfloat16?: return 2
        default: return 4
        }
    }

    /// Whether the tokens are those of openai-whisper, or ours where it is not there.
    private static func tokens(_ outcomes: [Rounds.Outcome]) -> (Rounds.Outcome) -> String {
        let reference =
            outcomes.first { $0.entry.contender.name == "openai-whisper" && $0.first != nil } ?? outcomes.first
        return { outcome in
            guard let tokens = outcome.first?.tokens, let known = reference?.first?.tokens,
                outcome.entry.name != reference?.entry.name
            else { return "" }
            let name = reference?.entry.name ?? ""
            let alike = zip(tokens, known).prefix { $0 == $1 }.count
            return tokens == known
                ? "\(name)'s tokens" : "\(alike) of \(known.count) tokens as \(name)"
        }
    }

    // MARK: - Beams

    private func beams(_ model: BenchModel, _ cast: Cast, threads: Int) throws {
        guard !model.isRandom else {
            return session.report.say("decoder, beams: left out, random weights have no vocabulary and end nowhere\n")
        }
        var work = try work(.beam, model, threads: threads)
        (work.beams, work.count, work.language) = (5, Self.steps, "en")
        var entries = cast.ours(threads: threads).map { Rounds.Entry($0.name, $0, work, reference: "auscult") }
        for (name, peer, variant) in peers(cast, ["openai-whisper", "ctranslate2"]) {
            var work = work
            work.variant = variant
            entries.append(Rounds.Entry(name, peer, work, reference: "auscult"))
        }
        guard !entries.isEmpty else { return }
        let peak = session.peak(threads: threads)
        let outcomes = session.rounds(peak, threads: threads).run(entries)
        session.report.add(
            Table(
                "decoder: \(model.name), a window's text with 5 beams, \(Self.threads(threads))",
                remarks: ["At most \(Self.steps) tokens, without timestamps; the encoder's output is there."],
                rows: outcomes.measurements(note: Self.tokens(outcomes))))
    }

    // MARK: - Prompts side by side

    private func prompts(_ model: BenchModel, _ cast: Cast, threads: Int) throws {
        var entries: [Rounds.Entry] = []
        for count in session.options.quick ? [1, 64] : [1, 64, 512] {
            var work = try work(.prompts, model, threads: threads)
            work.count = count
            let all =
                cast.ours(threads: threads).map { ($0.name, $0) } + peers(cast, ["openai-whisper"]).map { ($0.0, $0.1) }
            for (name, contender) in all {
                entries.append(
                    Rounds.Entry(
                        "\(name), \(count) at once", contender, work,
                        reference: contender.isOurs ? "auscult, 1 at once" : "auscult, \(count) at once",
                        pieces: Double(count)))
            }
        }
        guard !entries.isEmpty else { return }
        let peak = session.peak(threads: threads)
        let outcomes = session.rounds(peak, threads: threads).run(entries)
        session.report.add(
            Table(
                "decoder: \(model.name), prompts of \(model.prompt.count + 1) tokens side by side, \(Self.threads(threads))",
                remarks: [
                    "One pass of the decoder over all, with the keys and values of one audio, which are made in it."
                ],
                rows: outcomes.measurements(Quantity("ms/prompt") { seconds, _ in seconds * 1e3 })))
    }

    static func threads(_ count: Int) -> String { count == 1 ? "1 thread" : "\(count) threads" }
}
