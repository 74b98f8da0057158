import Foundation
import Whisper

/// The log-mel: 30 s beside the extractors of the peers, and as recordings get longer.
struct MelBench {
    let session: Session

    func run() throws {
        let sound = try BenchSound(session)
        let cast = Cast(session, nil)
        defer { cast.close() }
        for threads in try session.options.threadCounts {
            for bands in session.options.quick ? [80] : [80, 128] {
                try compare(sound, cast, seconds: 30, bands: bands, threads: threads)
            }
        }
        try growth(sound, cast)
    }

    private func work(_ sound: BenchSound, _ seconds: Double, bands: Int, threads: Int) throws -> Work {
        var work = Work(.mel)
        (work.samples, work.bands, work.threads) = (try sound.file(seconds: seconds), bands, threads)
        return work
    }

    private func compare(_ sound: BenchSound, _ cast: Cast, seconds: Double, bands: Int, threads: Int) throws {
        let work = try work(sound, seconds, bands: bands, threads: threads)
        var entries = cast.ours(threads: threads).map { Rounds.Entry($0.name, $0, work, reference: "auscult") }
        for (peer, name) in [
            ("openai-whisper", "openai-whisper (PyTorch)"), ("transformers", "transformers"),
            ("ctranslate2", "faster-whisper (numpy)"),
        ] {
            if let contender = cast.peer(peer) {
                entries.append(Rounds.Entry(name, contender, work, reference: "auscult"))
            }
        }
        guard !entries.isEmpty else { return }
        let peak = session.peak(threads: threads)
        let outcomes = session.rounds(peak, threads: threads).run(entries)
        session.report.add(
            Table(
                "mel: \(Int(seconds)) s, \(bands) bands, " + (threads == 1 ? "1 thread" : "\(threads) threads"),
                rows: outcomes.measurements(note: outcomes.distance(to: "auscult"))))
    }

    private func growth(_ sound: BenchSound, _ cast: Cast) throws {
        guard let threads = try session.options.threadCounts.last, let auscult = cast.ours(threads: threads).first
        else { return }
        let lengths = session.options.quick ? [2.0, 30, 300] : [2.0, 10, 30, 120, 600, 1800]
        var entries: [Rounds.Entry] = []
        for length in lengths {
            let work = try work(sound, length, bands: 80, threads: threads)
            let name = length < 120 ? "\(Int(length)) s" : "\(Int(length / 60)) min"
            // Told for a second of sound, so that what grows faster than the sound shows.
            var entry = Rounds.Entry("auscult, \(name)", auscult, work, reference: "auscult, 30 s")
            entry.pieces = length
            entries.append(entry)
            if let peer = cast.peer("openai-whisper") {
                var entry = Rounds.Entry("openai-whisper, \(name)", peer, work, reference: "auscult, \(name)")
                entry.pieces = length
                entries.append(entry)
            }
        }
        let peak = session.peak(threads: threads)
        let outcomes = session.rounds(peak, threads: threads).run(entries)
        session.report.add(
            Table(
                "mel: as recordings get longer, 80 bands, "
                    + (threads == 1 ? "1 thread" : "\(threads) threads"),
                rows: outcomes.measurements(Quantity("ms/s of sound") { seconds, _ in seconds * 1e3 })))
    }
}
