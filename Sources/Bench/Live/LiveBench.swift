import Audio
import Foundation
import Messages
import Wire

/// Sound while it is being made, over the daemon's socket: how long after a sound its features and its words are there.
///
/// Samples are pushed as a microphone gives them, 20 ms when they are full, on time. A delay is counted from the instant
/// when the sound was made, not from its pushing.
struct LiveBench {
    let session: Session
    /// Seconds of sound between two messages.
    private static let chunk = 0.02
    /// Seconds of a rolling context, as the daemon has it where none is asked for.
    private static let context = 3.2

    func run() async throws {
        guard let program = ProcessInfo.processInfo.environment["AUSCULT_DAEMON"] else {
            throw BenchError("$AUSCULT_DAEMON is not set; `make bench` sets it")
        }
        let path = session.folder + "/l/auscult.sock"
        let child = try Child(
            program, ["--socket", path, "--kept-activations", "0"],
            ["XDG_DATA_HOME": session.folder + "/data", "XDG_CONFIG_HOME": session.folder + "/config"])
        defer { child.stop() }
        let client = try await connected(path)
        let sound = try BenchSound(session)
        let models =
            [("the embedded model", "")]
            + session.options.model.map { path in
                (URL(fileURLWithPath: path).lastPathComponent, URL(fileURLWithPath: path).path)
            }
        for (name, path) in models { try await listen(client, name, path, sound) }
        await client.close()
        for model in try session.benchModels() { try passes(model, sound) }
    }

    /// What a hop has to compute, a pass over the rolling context, beside PyTorch's over the same.
    private func passes(_ model: BenchModel, _ sound: BenchSound) throws {
        let cast = Cast(session, model)
        defer { cast.close() }
        for threads in try session.options.threadCounts {
            var work = Work(.encode)
            (work.mel, work.frames) = try sound.mel(bands: model.dimensions.nMels, seconds: Self.context)
            (work.threads, work.capture) = (threads, Work.Capture.none)
            let limit = MachinePeak.Limit.operations(
                ModelCost.encoderOperations(model.dimensions, frames: Int(Self.context * 50)))
            var entries = cast.ours(threads: threads).map {
                Rounds.Entry($0.name, $0, work, reference: "auscult", limit: limit)
            }
            if let openai = cast.peer("openai-whisper") {
                entries.append(Rounds.Entry("openai-whisper sdpa", openai, work, reference: "auscult", limit: limit))
            }
            guard !entries.isEmpty else { return }
            let peak = session.peak(threads: threads)
            let outcomes = session.rounds(peak, threads: threads).run(entries)
            session.report.add(
                Table(
                    "live: \(model.name), a pass over a rolling context of \(Self.context) s, "
                        + (threads == 1 ? "1 thread" : "\(threads) threads"),
                    remarks: ["Computed for every hop; the rest of a delay is look-ahead and waiting."],
                    rows: peak.rows + outcomes.measurements(peak: peak, note: outcomes.distance(to: "auscult"))))
        }
    }

    private func listen(_ client: WireClient, _ name: String, _ path: String, _ sound: BenchSound) async throws {
        let model = V1.ModelRef(name: path)
        let info = try await client.call(V1.ModelRPC.info, model)
        let block = max(0, Int(info.dimensions?.nAudioLayer ?? 1) / 2)
        let feature = V1.LiveFeature(hook: "encoder.blocks.\(block).mlp.1", index: 0)
        var table = Table(
            "live: \(name), sound as it is made",
            remarks: [
                "Steps of new sound; a feature is a neuron of encoder.blocks.\(block).mlp.1. Times over the socket."
            ])
        let samples = sound.samples(seconds: session.options.quick ? 4.0 : 30.0)
        for (step, transcribes) in [(100, false), (500, false), (500, true)] as [(UInt32, Bool)] {
            let open = V1.LiveOpen(
                model: model, language: "en", transcribe: transcribes, features: [feature], stepMs: step)
            let heard = try await delays(client, open, samples)
            let what = transcribes ? "words and a feature" : "a feature"
            add(
                [
                    ("from a step's last sound to its values", heard.features),
                    ("from a frame's sound to its value", heard.frames),
                    ("from a step's last sound to its words", heard.words),
                ], of: "\(what), steps of \(step) ms", heard, "steps", to: &table)
        }
        for (hop, transcribes) in [(40, false), (100, false), (100, true)] as [(UInt32, Bool)] {
            var open = V1.LiveOpen(model: model, language: "en", transcribe: transcribes, features: [feature])
            open.rolling = V1.LiveRolling(hopMs: hop)
            let heard = try await delays(client, open, samples)
            let what = transcribes ? "words beside a rolling context" : "a rolling context"
            add(
                [
                    ("from a hop's last sound to its level", heard.levels),
                    ("from a hop's last sound to its values", heard.features),
                    ("from a frame's sound to its settled value", heard.settled),
                    ("of that, the sound that its pass had to hear behind it", heard.ahead),
                    ("from a step's last sound to its words", heard.words),
                    ("from a text's last sound to its being final", heard.segments),
                ], of: "\(what), hops of \(hop) ms", heard, "hops or steps", to: &table)
        }
        session.report.add(table)
    }

    /// A row for each kind of delay that was measured.
    private func add(
        _ rows: [(String, [Double])], of what: String, _ heard: Delays, _ steps: String, to table: inout Table
    ) {
        for (row, samples) in rows where !samples.isEmpty {
            table.rows.append(
                Measurement(
                    name: "\(what): \(row)", unit: "ms",
                    note: heard.skipped > 0 ? "\(heard.skipped) \(steps) merged, the engine was busy" : "",
                    samples: samples.map { $0 * 1e3 }, isLatency: true))
        }
    }

    private struct Delays {
        /// Seconds from the last sound of a step to the event with its features; and to the one with words.
        var features: [Double] = []
        var words: [Double] = []
        /// Seconds from each frame's own sound to its value.
        var frames: [Double] = []
        /// Seconds from a level's last sound to it; from each frame's own sound to its value that does not change any more; from a text's
        /// last sound to its being final.
        var levels: [Double] = []
        var settled: [Double] = []
        /// Seconds of sound behind each such frame that its pass heard: what is left of ``settled`` is computing and waiting.
        var ahead: [Double] = []
        var segments: [Double] = []
        var skipped: UInt64 = 0
    }

    private func delays(_ client: WireClient, _ open: V1.LiveOpen, _ samples: [Float]) async throws -> Delays {
        let call = try await client.open(V1.LiveRPC.listen)
        try await call.send(V1.LiveInput(input: .open(open)))
        var answers = call.answers.makeAsyncIterator()
        // Once it has started the model is in memory: only then the sound begins.
        while let event = try await answers.next() { if case .started? = event.event { break } }
        let began = ContinuousClock.now
        let pusher = Task {
            let size = Int(Self.chunk * Double(SampleBuffer.sampleRate))
            for (index, first) in stride(from: 0, to: samples.count, by: size).enumerated() {
                // A chunk is there when its last sample is.
                try await Task.sleep(until: began + .seconds(Double(index + 1) * Self.chunk), clock: .continuous)
                let piece = samples[first..<min(first + size, samples.count)]
                try await call.send(V1.LiveInput(input: .pcmS16le(Self.bytes(piece))))
            }
            try await call.finish()
        }
        var delays = Delays()
        while let event = try await answers.next() {
            let now = (ContinuousClock.now - began) / .seconds(1)
            switch event.event {
            case .activations(let activations)?:
                let count = activations.features.first?.values.count ?? 0
                guard count > 0, activations.framesPerSecond > 0 else { continue }
                let ends = (1...count).map { activations.start + Double($0) / activations.framesPerSecond }
                delays.features.append(now - (ends.last ?? now))
                delays.frames += ends.map { now - $0 }
            case .hypothesis(let hypothesis)?: delays.words.append(now - hypothesis.end)
            case .level(let level)?: delays.levels.append(now - level.end)
            case .segment(let segment)?: delays.segments.append(now - segment.end)
            case .readings(let reading)?:
                delays.features.append(now - reading.end)
                let ends = reading.frames.prefix(Int(reading.settled)).map {
                    reading.start + Double($0 + 1) / max(reading.framesPerSecond, 1)
                }
                delays.settled += ends.map { now - $0 }
                delays.ahead += ends.map { max(0, reading.end - $0) }
            case .end(let end)?: delays.skipped = end.skippedSteps + end.mergedHops
            default: break
            }
        }
        try await pusher.value
        return delays
    }

    private static func bytes(_ samples: ArraySlice<Float>) -> [UInt8] {
        samples.flatMap { sample -> [UInt8] in
            let value = UInt16(bitPattern: Int16(max(-32768, min(32767, (sample * 32768).rounded()))))
            return [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
        }
    }
}
