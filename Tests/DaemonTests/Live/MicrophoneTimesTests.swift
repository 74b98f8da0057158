import Audio
import Daemon
import Foundation
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    /// What is said into a microphone, against what was said: word for word, and when.
    @Suite(
        "What is said into a microphone", .timeLimit(.minutes(20)),
        .enabled(if: Microphone.isPossible, "needs ALSA's configuration, auscultd and auscult-capture"),
        .enabled(
            if: ProcessInfo.processInfo.environment["AUSCULT_MICROPHONE_SECONDS"] != nil,
            "set AUSCULT_MICROPHONE_SECONDS: its times want a machine with nothing else to do"),
        .enabled(if: ReleasedModels.folder("tiny.en") != nil, Comment(rawValue: ReleasedModels.absence)))
    struct MicrophoneTimesTests {
        /// Seconds of listening, by hand: 20, or 600 to see a drift.
        private static let seconds =
            ProcessInfo.processInfo.environment["AUSCULT_MICROPHONE_SECONDS"].flatMap(Double.init)
        private static let rate = Double(SampleBuffer.sampleRate)

        private var model: V1.ModelRef {
            get throws { V1.ModelRef(name: try #require(ReleasedModels.folder("tiny.en"))) }
        }

        private func open(_ change: (inout V1.LiveOpen) -> Void) throws -> V1.LiveOpen {
            var open = V1.LiveOpen(model: try model, language: "en", transcribe: true)
            open.rolling = V1.LiveRolling(hopMs: 100, contextMs: 1600, inSilence: true)
            open.features = (0..<64).map { V1.LiveFeature(hook: "encoder.blocks.1.mlp.1", index: $0) }
            open.echo = true
            change(&open)
            return open
        }

        @Test("is written word for word, and sounds and features have its times, without drift")
        func times() async throws {
            let folder = try TemporaryFolder()
            let microphone = try Microphone(in: folder)
            let daemon = try ChildDaemon(in: folder, environment: microphone.environment)
            try await daemon.ready()
            let client = try await daemon.connect()
            let speech = try SampleBuffer.read(AudioInput.clip(named: "en-slt-01").source).readAll()
            let wanted = try await pushed(speech, daemon)
            // "the goat is called but the horse is famous": cold, in truth.
            let read = try await client.call(
                V1.TranscribeRPC.transcribe,
                V1.TranscribeRequest(model: model, audio: V1.AudioSource(source: .clip("en-slt-01"))))
            let written = Self.words(read.segments.map(\.text).joined())
            try #require(written.count == 9)
            func listen() async throws -> Listening {
                let call = try await Listening(client, open { $0.device = V1.LiveDevice(name: Microphone.name) })
                try await eventually("it is open; \(String(describing: call.error))") { !call.levels.isEmpty }
                return call
            }
            // Once before, for the periods in which it is read: until they are known it runs ahead of time.
            let before = try await listen()
            microphone.fit(before.sources.first)
            try await before.finish()
            try await eventually("it has ended") { before.hasEnded }
            let call = try await listen()

            var offsets: [Double] = []
            let began = ContinuousClock.now
            repeat {
                let now = call.levels.last?.end ?? 0
                let place = microphone.say(speech)
                // Before the next one text and features of this have settled.
                let length = Double(speech.count) / Self.rate
                try await eventually("what is said and what follows are heard; \(String(describing: call.error))") {
                    (call.levels.last?.end ?? 0) > now + length + 5
                }
                let sound = Heard(call.events)
                guard let found = sound.place(of: speech, after: now) else {
                    Issue.record("what was said at \(now) s was not heard; gaps: \(call.gaps)")
                    break
                }
                offsets.append(found - place)
                let late = lag(of: Track(call.readings, from: found, seconds: length), behind: wanted)
                #expect(abs(late) <= 1, "features are \(late * 20) ms from the sound")
            } while ContinuousClock.now - began < .seconds(Self.seconds ?? 0)
            try await call.finish()
            try await eventually("it has ended") { call.hasEnded }
            let (least, greatest) = (offsets.min() ?? 0, offsets.max() ?? 0)
            #expect(greatest - least <= 0.02, "over \(offsets.count) utterances times drift: \(offsets)")
            // Word for word as it is written of the recording, as often as it was said; but for one, or one in a hundred, since each
            // time it lies elsewhere among the encoder's frames.
            let words = Self.words(call.text)
            let expected = Array(repeating: written, count: offsets.count).flatMap { $0 }
            let difference = words.difference(from: expected)
            #expect(
                max(difference.insertions.count, difference.removals.count) <= max(1, expected.count / 100),
                "\(difference.removals) became \(difference.insertions)")
            #expect(call.gaps.isEmpty && call.events.allSatisfy { $0.dropped == 0 })
            // Captured and made are one clock. What lay in the FIFO when it was opened is read at once, so at first samples come before their time.
            let timed = call.events.filter { $0.capturedUnixNs != 0 }, opened = timed.first?.madeUnixNs ?? 0
            let delays = timed.filter { $0.madeUnixNs > opened + 2_000_000_000 }
                .map { Double($0.madeUnixNs - $0.capturedUnixNs) / 1e9 }
            #expect((delays.min() ?? 0) > -0.05)
            print(
                "microphone: \(difference.removals.count) of \(expected.count) words differ; \(offsets.count) utterances in \(Self.seconds ?? 0) s, first offset \(offsets.first ?? 0) s, spread "
                    + "\(((greatest - least) * 1e6).rounded() / 1e3) ms")
            microphone.end()
            await client.close()
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }

        /// The features of what is sent, by its own times.
        private func pushed(_ speech: [Float], _ daemon: ChildDaemon) async throws -> Track {
            let client = try await daemon.connect()
            let call = try await Listening(client, open { $0.transcribe = false })
            try await call.send(.pcmS16le(Sound.s16le(speech + [Float](repeating: 0, count: 32_000))))
            try await call.finish()
            try await eventually("what was sent is read; \(String(describing: call.error))") { call.hasEnded }
            await client.close()
            return Track(call.readings, from: 0, seconds: Double(speech.count) / Self.rate)
        }

        private static func words(_ text: String) -> [String] {
            text.lowercased().split { !$0.isLetter && $0 != "'" }.map(String.init)
        }

        /// Frames by which one track is behind another: where they agree most.
        private func lag(of track: Track, behind other: Track) -> Int {
            (-10...10).max { track.product(other, shift: $0) < track.product(other, shift: $1) } ?? 99
        }
    }
}

/// Settled values by frame, each feature about its mean.
private struct Track {
    private var frames: [Int: [Float]] = [:]

    init(_ readings: [V1.LiveReadings], from start: Double, seconds: Double) {
        let first = Int((start * 50).rounded()), count = Int(seconds * 50)
        for reading in readings {
            for place in 0..<Int(reading.settled) {
                let frame = Int((reading.start * 50).rounded()) + Int(reading.frames[place]) - first
                guard frame > -20, frame < count + 20 else { continue }
                frames[frame] = reading.features.map { $0.values[place] }
            }
        }
        guard let width = frames.values.first?.count else { return }
        let means = (0..<width).map { column in
            frames.values.reduce(0) { $0 + $1[column] } / Float(frames.count)
        }
        frames = frames.mapValues { zip($0, means).map { $0 - $1 } }
    }

    func product(_ other: Track, shift: Int) -> Float {
        frames.reduce(0) { sum, frame in
            guard let values = other.frames[frame.key - shift] else { return sum }
            return sum + zip(frame.value, values).reduce(0) { $0 + $1.0 * $1.1 }
        }
    }
}

/// The sound that a session says it heard.
private struct Heard {
    private var pieces: [(start: Int, samples: [Int16])] = []

    init(_ events: [V1.LiveEvent]) {
        for event in events {
            guard case .heard(let one)? = event.event else { continue }
            pieces.append(
                (
                    Int((one.start * 16000).rounded()),
                    stride(from: 0, to: one.pcmS16le.count - 1, by: 2).map {
                        Int16(bitPattern: UInt16(one.pcmS16le[$0]) | UInt16(one.pcmS16le[$0 + 1]) << 8)
                    }
                ))
        }
    }

    /// Where something begins, in seconds: in the second after it was said, where it agrees most; nil where it does not.
    func place(of speech: [Float], after seconds: Double) -> Double? {
        let first = Int(seconds * 16000) - 4000, lags = 24_000
        var sound = [Float](repeating: 0, count: lags + speech.count)
        for piece in pieces where piece.start + piece.samples.count > first && piece.start < first + sound.count {
            for (index, sample) in piece.samples.enumerated() {
                let place = piece.start + index - first
                if sound.indices.contains(place) { sound[place] = Float(sample) / 32768 }
            }
        }
        // A loud quarter of a second of it is enough to find it by.
        let length = 4000
        func energy(_ at: Int) -> Float { speech[at..<at + length].reduce(0) { $0 + $1 * $1 } }
        let at = stride(from: 0, to: max(1, speech.count - length), by: 800).max { energy($0) < energy($1) } ?? 0
        var best = (lag: 0, product: Float(0))
        for lag in 0..<lags {
            var product: Float = 0
            for i in 0..<length { product += sound[lag + at + i] * speech[at + i] }
            if product > best.product { best = (lag, product) }
        }
        return best.product > energy(at) / 2 ? Double(first + best.lag) / 16000 : nil
    }
}
