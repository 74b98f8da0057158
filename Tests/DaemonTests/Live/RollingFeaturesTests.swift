import Audio
@testable import Daemon
import Foundation
import Kernels
import Logging
import TestSupport
import Testing
import Whisper

@Suite("Features from a rolling context", .timeLimit(.minutes(5))) struct RollingFeaturesTests {
    private let model: LoadedModel
    private let features = [
        LiveOptions.Feature(hook: "encoder.blocks.2.mlp.1", index: 17),
        LiveOptions.Feature(hook: "encoder.ln_post", index: 0),
    ]

    init() throws {
        model = try embeddedModel()
    }

    private func rolling(_ change: (inout LiveOptions.Rolling) -> Void = { _ in }) -> LiveOptions.Rolling {
        var options = LiveOptions.Rolling()
        options.frames = 40
        options.inSilence = true
        change(&options)
        return options
    }

    /// What a session says of samples that come in pieces.
    private func events(
        _ samples: [Int16], _ options: LiveOptions.Rolling, piece: Int, interventions: [Intervention] = []
    ) throws -> [LiveEvent] {
        let session = try RollingFeatures(
            model: model, readings: LiveReadings(features, model.dimensions), options: options,
            interventions: interventions)
        var events: [LiveEvent] = []
        for start in stride(from: 0, to: samples.count, by: piece) {
            session.append(Array(samples[start..<min(start + piece, samples.count)]))
            if session.isReady { events += try session.step(nil) }
        }
        return try events + session.close(nil)
    }

    private func readings(_ events: [LiveEvent]) -> [LiveReading] {
        events.compactMap { if case .readings(let reading) = $0 { reading } else { nil } }
    }

    /// Each frame's settled values, a list a feature, by the frame's number from the first sample.
    private func settled(_ readings: [LiveReading]) -> [Int: [Float]] {
        var found: [Int: [Float]] = [:]
        for reading in readings {
            let first = Int((reading.start * 50).rounded())
            for (place, frame) in reading.frames.prefix(reading.settled).enumerated() {
                #expect(found[first + frame] == nil, "frame \(first + frame) settles once")
                found[first + frame] = reading.values.map { $0[place] }
            }
        }
        return found
    }

    /// What a trace says of a span of the samples, by frame.
    private func traced(_ samples: [Int16], frames: Range<Int>, _ interventions: [String] = []) throws -> [[Float]] {
        let part = samples[min(frames.lowerBound * 320, samples.count)..<min(frames.upperBound * 320, samples.count)]
        var request = TraceRequest(hooks: features.map(\.hook))
        request.context = .auto
        request.interventions = interventions.map { .text($0) }
        let bytes = part.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        let sink = KeptTensors()
        _ = try TraceService(model: model, logger: Logger(label: "test")).trace(
            .pcm(bytes, name: "part"), request, into: sink)
        return try features.map { feature in
            let tensor = try #require(sink.tensors[feature.hook])
            let width = tensor.shape.dropFirst().reduce(1, *)
            return (0..<tensor.shape[0]).map { tensor.elements[$0 * width + feature.index] }
        }
    }

    /// What the settled values are to be: those of a trace of the context in which each frame settles.
    private func expected(_ samples: [Int16], length: Int, _ interventions: [String] = []) throws -> [Int: [Float]] {
        let count = EncoderFrames.valid(sampleCount: samples.count)
        var context = RollingContext(length: length)
        var found: [Int: [Float]] = [:]
        var next = 0
        while next < count {
            let isLast = context.end * EncoderFrames.samples >= samples.count
            let end = isLast ? count : context.settledEnd
            let values = try traced(samples, frames: context.start..<context.end, interventions)
            for frame in next..<end { found[frame] = values.map { $0[frame - context.start] } }
            next = end
            context.advance()
        }
        return found
    }

    @Test(
        "settled values are exactly those of a trace of the same context, whatever the hop and however sound comes in",
        arguments: [(1, 320), (5, 1600), (5, 777), (13, 4801), (40, 100_000)])
    func settling(hop: Int, piece: Int) throws {
        let samples = try clipSamples("en-slt-02")
        let options = rolling { $0.hopFrames = hop }
        let found = settled(readings(try events(samples, options, piece: piece)))
        let wanted = try expected(samples, length: 40)
        #expect(wanted.count == EncoderFrames.valid(sampleCount: samples.count) && wanted.count > 60)
        #expect(found == wanted)
    }

    @Test("a frame is told when it comes, again when it changed by enough, and for the last time when it settles")
    func revisions() throws {
        let samples = try clipSamples("en-slt-02")
        var told: [Int] = []
        for revision in [Float(0), 0.05, 1e9] {
            let found = readings(try events(samples, rolling { $0.revision = revision }, piece: 1600))
            var last: [Int: [Float]] = [:]
            var scales: [Float] = [0, 0]
            for reading in found {
                #expect(reading.frames == reading.frames.sorted() && reading.settled <= reading.frames.count)
                let first = Int((reading.start * 50).rounded())
                for (place, frame) in reading.frames.enumerated() {
                    let values = reading.values.map { $0[place] }
                    // Nothing is told of a frame that was not heard.
                    #expect(Double(first + frame) / 50 < reading.end)
                    if place >= reading.settled, let before = last[first + frame] {
                        #expect(zip(zip(values, before), scales).contains { abs($0.0 - $0.1) > revision * $1 })
                    }
                    last[first + frame] = values
                    scales = zip(scales, values).map { max($0, abs($1)) }
                }
            }
            told.append(found.reduce(0) { $0 + $1.frames.count })
        }
        // A smaller amount tells more; with an endless one a frame is told when it comes and when it settles.
        let frames = EncoderFrames.valid(sampleCount: samples.count)
        #expect(told[0] > told[1] && told[1] > told[2])
        #expect(told[2] <= 2 * frames && told[2] > frames)
    }

    @Test("under interventions values are those of a trace under them, from the pass on that follows")
    func steering() throws {
        let samples = try clipSamples("en-slt-02")
        let texts = ["encoder.blocks.1.mlp.1 = zero"]
        let interventions = try texts.map { try Intervention(parsing: $0, dimensions: model.dimensions) }
        let found = settled(readings(try events(samples, rolling(), piece: 1600, interventions: interventions)))
        #expect(found == (try expected(samples, length: 40, texts)))
        #expect(found != (try expected(samples, length: 40)))
    }

    @Test("where nobody speaks in a context no pass is made, and its frames are told to be unread")
    func silence() throws {
        let quiet = [Int16](repeating: 0, count: 3 * 16000)
        let speech = try clipSamples("en-slt-02")
        let found = try events(quiet + speech + quiet, rolling { $0.inSilence = false }, piece: 1600)
        var unread: [ClosedRange<Double>] = []
        for case .unread(let start, let end, true) in found { unread.append(start...end) }
        #expect(unread.first?.lowerBound == 0 && (unread.first?.upperBound ?? 0) > 0)
        let frames = settled(readings(found))
        let total = EncoderFrames.valid(sampleCount: 2 * quiet.count + speech.count)
        // Every frame either settles or is unread, and what is spoken is not.
        let silent = Set(unread.flatMap { Int(($0.lowerBound * 50).rounded())..<Int(($0.upperBound * 50).rounded()) })
        #expect(silent.isDisjoint(with: frames.keys) && silent.count + frames.count == total)
        #expect(silent.count > 150)
        #expect(!silent.contains { (160..<145 + speech.count / 320).contains($0) })
    }

    @Test("sound that does not wait is passed over where the engine was away for two contexts, and told so")
    func passedOver() throws {
        let samples = try clipSamples("en-long-01").prefix(8 * 16000)
        let found = try events(Array(samples), rolling { $0.passesOver = true }, piece: 100_000)
        let busy = found.compactMap { event -> ClosedRange<Double>? in
            if case .unread(let start, let end, false) = event { start...end } else { nil }
        }
        #expect(busy.count == 2 && busy[0].lowerBound == 0)
        let settled = settled(readings(found))
        for range in busy {
            #expect(!settled.keys.contains { range.contains(Double($0) / 50 + 0.01) })
        }
        #expect(readings(found).last?.end == 8)
    }

    @Test("hops and contexts that make no sense are refused in words")
    func refused() throws {
        let bad: [(LiveOptions.Rolling, String)] = [
            (rolling { $0.frames = 42 }, "multiple of 80"), (rolling { $0.frames = 4 }, "context of 80"),
            (rolling { $0.frames = 100_000 }, "context"), (rolling { $0.hopFrames = 0 }, "hop of 0"),
            (rolling { $0.hopFrames = 41 }, "hop"), (rolling { $0.revision = .nan }, "revision"),
            (rolling { $0.revision = -1 }, "revision"),
        ]
        for (options, word) in bad {
            let error = #expect(throws: ServiceError.self) { try events([], options, piece: 1) }
            #expect("\(error?.message ?? "")".contains(word))
        }
    }

    @Test("a voice is what is louder than the quietest of late, for a while after it, and no noise that stays")
    func voice() throws {
        var voice = VoiceActivity()
        func frames(_ amplitude: Int16, _ count: Int) -> [Bool] {
            (0..<count).map { _ in voice.isActive((0..<320).map { $0 % 2 == 0 ? amplitude : -amplitude }) }
        }
        #expect(!frames(0, 50).contains(true))
        #expect(!frames(10, 50).contains(true), "below the threshold")
        #expect(!frames(3000, 10).contains(false))
        let after = frames(10, 50)
        #expect(after.prefix(14).allSatisfy { $0 } && !after.suffix(30).contains(true))
        // A hum of some minutes.
        #expect(frames(1000, 3000).last == false)
        #expect(frames(8000, 1) == [true])
    }
}
