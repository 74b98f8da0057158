import Foundation
import Kernels
import Whisper

/// The encoder on one window: plain, and with what people look at captured; beside peers that do the same.
struct EncoderBench {
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
            for seconds in session.options.quick ? [30.0, 2.0] : [30.0, 5.0, 2.0, 1.0] {
                for threads in try session.options.threadCounts {
                    try window(model, cast, seconds: seconds, threads: threads)
                }
            }
            if let threads = try session.options.threadCounts.last { try hooks(model, cast, threads: threads) }
        }
        try sizes()
    }

    // MARK: - One window

    private func window(_ model: BenchModel, _ cast: Cast, seconds: Double, threads: Int) throws {
        let frames = min(Int(seconds * 50), model.dimensions.nAudioCtx)
        let isWhole = frames == model.dimensions.nAudioCtx
        guard isWhole || frames * 2 < model.dimensions.melFrames else { return }
        let operations = ModelCost.encoderOperations(model.dimensions, frames: frames)
        let entries = try entries(model, cast, seconds: seconds, threads: threads, isWhole: isWhole).map { entry in
            var entry = entry
            entry.limit = .operations(operations)
            return entry
        }
        guard !entries.isEmpty else { return }
        let peak = session.peak(threads: threads)
        let outcomes = session.rounds(peak, threads: threads).run(entries)
        session.report.add(
            Table(
                "encoder: \(model.name), \(isWhole ? "a window of 30 s" : "a context of \(Int(seconds)) s"), "
                    + (threads == 1 ? "1 thread" : "\(threads) threads"),
                remarks: [
                    String(format: "%.2f GFLOP in products; the limit is that at the machine's peak.", operations / 1e9)
                ],
                rows: peak.rows
                    + outcomes.measurements(peak: peak, note: outcomes.distance(to: "auscult"))))
    }

    /// - Parameter isWhole: whether the window is the model's own; peers take others only where they can.
    private func entries(
        _ model: BenchModel, _ cast: Cast, seconds: Double, threads: Int, isWhole: Bool
    ) throws -> [Rounds.Entry] {
        let (mel, frames) = try sound.mel(bands: model.dimensions.nMels, seconds: seconds)
        func work(_ capture: Work.Capture = .none, _ variant: String? = nil) throws -> Work {
            var work = Work(.encode)
            (work.threads, work.mel, work.frames) = (threads, mel, frames)
            (work.capture, work.variant) = (capture, variant)
            if variant?.hasPrefix("f") == true { work.samples = try sound.file(seconds: seconds) }
            return work
        }
        let ours = cast.ours(threads: threads)
        let captures: [(Work.Capture, String)] =
            isWhole
            ? [(.none, ""), (.residual, " + residual, mlp.1"), (.patterns, " + residual, mlp.1, patterns")]
            : [(.none, ""), (.residual, " + residual, mlp.1")]
        func reference(_ capture: Work.Capture) -> String {
            "auscult" + (captures.first { $0.0 == capture }?.1 ?? "")
        }
        var entries: [Rounds.Entry] = []
        for (capture, name) in captures {
            for contender in ours {
                let isFirst = contender.name == "auscult"
                entries.append(
                    Rounds.Entry(
                        contender.name + name, contender, try work(capture),
                        reference: isFirst ? "auscult" : reference(capture)))
            }
        }
        if let auscult = ours.first {
            for precision in Precision.available where precision != .exact {
                entries.append(
                    Rounds.Entry(
                        "auscult \(precision)", auscult, try work(.none, precision.rawValue), reference: "auscult"))
            }
        }
        if let openai = cast.peer("openai-whisper") {
            for (capture, name) in captures {
                entries.append(
                    Rounds.Entry(
                        "openai-whisper" + (capture == .patterns ? name : " sdpa" + name), openai, try work(capture),
                        reference: reference(capture)))
            }
        }
        if isWhole, let transformers = cast.peer("transformers") {
            entries.append(
                Rounds.Entry("transformers sdpa", transformers, try work(.none, "sdpa"), reference: "auscult"))
            entries.append(
                Rounds.Entry(
                    "transformers eager + hidden states, attentions", transformers, try work(.none, "eager"),
                    reference: reference(.patterns)))
        }
        if let peer = cast.peer("ctranslate2") {
            for type in ["float32", "int8"] {
                entries.append(Rounds.Entry("ctranslate2 \(type)", peer, try work(.none, type), reference: "auscult"))
            }
        }
        if isWhole, let peer = cast.peer("whisper.cpp") {
            for type in ["f32", "f16"] {
                entries.append(Rounds.Entry("whisper.cpp \(type)", peer, try work(.none, type), reference: "auscult"))
            }
        }
        return entries
    }

    // MARK: - As work grows

    /// What captures cost, from none to every hook point of the encoder.
    private func hooks(_ model: BenchModel, _ cast: Cast, threads: Int) throws {
        guard let auscult = cast.ours(threads: threads).first else { return }
        let (mel, frames) = try sound.mel(bands: model.dimensions.nMels, seconds: 30)
        let last = model.dimensions.nAudioLayer - 1
        let patterns: [(String, [String])] = [
            ("no hook point", []), ("one mlp.1", ["encoder.blocks.\(last).mlp.1"]),
            ("every mlp.1", ["encoder.blocks.*.mlp.1"]),
            ("residual streams, too", ["encoder.blocks.*", "encoder.blocks.*.mlp.1"]),
            ("patterns alone", ["encoder.blocks.*.attn.pattern"]), ("every hook point", ["encoder.**"]),
        ]
        let entries = try patterns.map { name, hooks in
            var work = Work(.encode)
            (work.threads, work.mel, work.frames, work.hooks) = (threads, mel, frames, hooks)
            let points = try hooks.reduce(into: Set<HookPoint>()) {
                try $0.formUnion(HookPoint.matching($1, in: model.dimensions))
            }
            return Rounds.Entry(
                name, auscult, work, reference: "no hook point", note: points.isEmpty ? "" : "\(points.count) captures")
        }
        let peak = session.peak(threads: threads)
        let outcomes = session.rounds(peak, threads: threads).run(entries)
        session.report.add(
            Table(
                "encoder: hook points from none to all, \(model.name), "
                    + (threads == 1 ? "1 thread" : "\(threads) threads"),
                rows: outcomes.measurements()))
    }

    /// Encoders of every released size, with random weights, on one window.
    private func sizes() throws {
        guard let threads = try session.options.threadCounts.last else { return }
        for size in try session.options.modelSizes {
            let dimensions = size.encoderDimensions
            let room = SystemMemory.available()
            guard room.map({ $0 > ModelCost.weights(dimensions) * 4 * 1.5 + 1e9 }) ?? true else {
                session.report.say("encoder of \(size.rawValue): left out, the memory that is free does not hold it\n")
                continue
            }
            let model = try session.random(size.rawValue, dimensions)
            defer { session.discard(model) }
            try encoder(of: model, size, threads: threads, room: room)
        }
    }

    private func encoder(of model: BenchModel, _ size: ModelSize, threads: Int, room: Double?) throws {
        let cast = Cast(session, model)
        defer { cast.close() }
        let all = try entries(model, cast, seconds: 30, threads: threads, isWhole: true).filter {
            ["auscult", "openai-whisper sdpa", "transformers sdpa", "ctranslate2 float32", "ctranslate2 int8"]
                .contains($0.name) || $0.contender.isOurs && $0.work.capture == Work.Capture.none
        }
        // Each holds the weights in float32, and while it loads once more.
        var left = (room ?? .infinity) - ModelCost.weights(model.dimensions) * 4
        var entries: [Rounds.Entry] = []
        let operations = ModelCost.encoderOperations(model.dimensions, frames: model.dimensions.nAudioCtx)
        for entry in all {
            left -= model.residentBytes
            guard left > 0 || entries.isEmpty else {
                session.report.say("\(entry.name), encoder of \(size.rawValue): left out for want of memory\n")
                continue
            }
            var entry = entry
            entry.limit = .operations(operations)
            entries.append(entry)
        }
        let peak = session.peak(threads: threads)
        var rounds = session.rounds(peak, threads: threads)
        if operations > 5e11 { rounds.rounds = min(rounds.rounds, 5) }
        let outcomes = rounds.run(entries)
        session.report.add(
            Table(
                "encoder: \(size.rawValue)'s dimensions, random weights, 30 s, "
                    + (threads == 1 ? "1 thread" : "\(threads) threads"),
                remarks: [String(format: "%.1f GFLOP in products.", operations / 1e9)],
                rows: peak.rows + outcomes.measurements(peak: peak, note: outcomes.distance(to: "auscult"))))
    }
}
