import Audio
import Foundation
import StrictJSON

/// Recordings from file to text: those of a manifest beside peers, and ours as recordings get longer.
struct TranscriptionBench {
    let session: Session
    let sound: BenchSound

    func run(_ model: BenchModel, _ cast: Cast) throws {
        guard !model.isRandom else {
            return session.report.say("decoder, transcripts: left out, random weights say nothing\n")
        }
        guard let threads = try session.options.threadCounts.last else { return }
        if let data = session.options.data {
            try recordings(model, cast, try Self.files(data, limit: session.options.quick ? 3 : 20), threads: threads)
        } else {
            session.report.say("decoder, transcripts of recordings: left out, no --data MANIFEST\n")
        }
        try growth(model, cast, threads: threads)
    }

    /// The first recordings of a manifest in English, or of no language that it names.
    /// - Throws: ``BenchError`` where there are none.
    static func files(_ manifest: String, limit: Int) throws -> [String] {
        let text: String
        do { text = try String(contentsOfFile: manifest, encoding: .utf8) } catch {
            throw BenchError("cannot read \(manifest): \(error.localizedDescription)")
        }
        let folder = URL(fileURLWithPath: manifest).deletingLastPathComponent()
        var files: [String] = []
        for (number, line) in text.split(separator: "\n").enumerated() where files.count < limit {
            guard case .object(let members)? = try? JSON(parsing: String(line)),
                case .string(let path)? = members.first(where: { $0.0 == "path" })?.1
            else { throw BenchError("\(manifest), line \(number + 1): no JSON object with a 'path'") }
            if case .string(let language)? = members.first(where: { $0.0 == "language" })?.1, language != "en" {
                continue
            }
            files.append(URL(fileURLWithPath: path, relativeTo: folder).path)
        }
        guard !files.isEmpty else { throw BenchError("\(manifest) has no recordings in English") }
        return files
    }

    private func recordings(_ model: BenchModel, _ cast: Cast, _ files: [String], threads: Int) throws {
        let duration = try files.reduce(0.0) { try $0 + SampleBuffer.read(.file($1)).duration }
        var work = Work(.transcribe)
        (work.files, work.language, work.threads) = (files, "en", threads)
        var entries = cast.ours(threads: threads).map { Rounds.Entry($0.name, $0, work, reference: "auscult") }
        if let peer = cast.peer("openai-whisper") {
            entries.append(Rounds.Entry("openai-whisper", peer, work, reference: "auscult"))
        }
        if let peer = cast.peer("ctranslate2") {
            for type in ["float32", "int8"] {
                var work = work
                work.variant = type
                entries.append(Rounds.Entry("faster-whisper \(type)", peer, work, reference: "auscult"))
            }
        }
        guard !entries.isEmpty else { return }
        let peak = session.peak(threads: threads)
        var rounds = session.rounds(peak, threads: threads)
        rounds.rounds = min(rounds.rounds, 5)
        let outcomes = rounds.run(entries)
        session.report.add(
            Table(
                "transcripts: \(model.name), \(files.count) recordings, \(Int(duration)) s, "
                    + DecoderBench.threads(threads),
                remarks: [
                    "From files to text with timestamps: the likeliest token, no second try, no text of the window before."
                ],
                rows: outcomes.measurements(
                    Quantity("s") { seconds, _ in seconds }, note: Self.comparison(outcomes, duration: duration))))
    }

    /// How much faster than the sound, and whether the words are ours.
    private static func comparison(_ outcomes: [Rounds.Outcome], duration: Double) -> (Rounds.Outcome) -> String {
        let ours = outcomes.first?.first?.text.map(words)
        return { outcome in
            let speed = String(
                format: "%.1f × as fast as the sound", duration / Statistics.median(of: outcome.seconds))
            guard let ours, let text = outcome.first?.text, outcome.entry.name != outcomes.first?.entry.name else {
                return speed
            }
            let theirs = words(text)
            let alike = zip(ours, theirs).count { $0 == $1 }
            return speed + "; \(alike) of \(ours.count) texts as auscult's"
        }
    }

    /// A recording a line, its words without case and punctuation.
    private static func words(_ texts: String) -> [[String]] {
        texts.components(separatedBy: "\n").map { text in
            text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "'" }.map(String.init)
        }
    }

    // MARK: - As recordings get longer

    private func growth(_ model: BenchModel, _ cast: Cast, threads: Int) throws {
        guard let auscult = cast.ours(threads: threads).first else { return }
        let lengths = session.options.quick ? [2.0, 30, 60] : [2.0, 10, 30, 120, 600, 1800]
        let entries = try lengths.map { length in
            let path = "\(session.folder)/speech-\(Int(length)).wav"
            if !FileManager.default.fileExists(atPath: path) {
                try SoundFileWriter.write(sound.samples(seconds: length), as: .wav16, to: path)
            }
            var work = Work(.transcribe)
            (work.files, work.language, work.threads) = ([path], "en", threads)
            let name = length < 120 ? "\(Int(length)) s" : "\(Int(length / 60)) min"
            return Rounds.Entry(name, auscult, work, reference: "30 s", pieces: length)
        }
        let peak = session.peak(threads: threads)
        var rounds = session.rounds(peak, threads: threads)
        rounds.rounds = min(rounds.rounds, 3)
        session.report.add(
            Table(
                "transcripts: as recordings get longer, \(model.name), \(DecoderBench.threads(threads))",
                remarks: ["For a second of sound: speech of the embedded clips, over and over."],
                rows: rounds.run(entries).measurements(Quantity("ms/s of sound") { seconds, _ in seconds * 1e3 })))
    }
}
