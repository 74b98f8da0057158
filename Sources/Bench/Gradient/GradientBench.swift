import Foundation
import Whisper

/// Gradients: the encoder forth on a window of 30 s, and back to every attention pattern, beside PyTorch's autograd; time, and memory above what
/// the loaded model has.
struct GradientBench {
    let session: Session
    let sound: BenchSound

    init(_ session: Session) throws {
        self.session = session
        sound = try BenchSound(session)
    }

    func run() throws {
        for model in try session.benchModels() {
            let cast = Cast(session, model)
            defer { cast.close() }
            for threads in try session.options.threadCounts { try compare(model, cast, threads: threads) }
        }
    }

    private func compare(_ model: BenchModel, _ cast: Cast, threads: Int) throws {
        let (mel, frames) = try sound.mel(bands: model.dimensions.nMels, seconds: 30)
        var work = Work(.gradient)
        (work.threads, work.mel, work.frames) = (threads, mel, frames)
        // Forward, and twice as much on the way back of a model whose weights learn; here they do not.
        let operations = 2 * ModelCost.encoderOperations(model.dimensions, frames: model.dimensions.nAudioCtx)
        let limit = MachinePeak.Limit.operations(operations)
        var entries: [Rounds.Entry] = []
        for (suffix, variant) in [("", nil), (", nothing kept", Work.passing)] as [(String, String?)] {
            work.variant = variant
            let reference = "auscult" + suffix
            entries += cast.ours(threads: threads).map {
                Rounds.Entry($0.name + suffix, $0, work, reference: reference, limit: limit)
            }
            if let openai = cast.peer("openai-whisper") {
                entries.append(
                    Rounds.Entry(
                        "openai-whisper, autograd" + suffix, openai, work, reference: reference, limit: limit))
            }
        }
        guard !entries.isEmpty else { return }
        let peak = session.peak(threads: threads)
        let outcomes = session.rounds(peak, threads: threads).run(entries)
        let distance = outcomes.distance(to: "auscult")
        session.report.add(
            Table(
                "gradient: \(model.name), 30 s, to all patterns, " + (threads == 1 ? "1 thread" : "\(threads) threads"),
                remarks: [
                    "The sum of the encoder's outputs, differentiated with respect to every attention pattern; patterns and "
                        + "gradients are kept, or each gradient is seen and let go. The limit is twice the forward pass's products at the machine's peak."
                ],
                rows: peak.rows
                    + outcomes.measurements(peak: peak) { outcome in
                        let memory = outcome.first?.bytes.map { "\($0 / 1_000_000) MB more memory" } ?? ""
                        return [memory, distance(outcome)].filter { !$0.isEmpty }.joined(separator: "; ")
                    }))
    }
}
