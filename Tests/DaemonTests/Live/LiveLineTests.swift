import Audio
@testable import Daemon
import Foundation
import Logging
import TestSupport
import Testing
import Whisper

@Suite("A listener's line", .timeLimit(.minutes(5))) struct LiveLineTests {
    private let model: LoadedModel

    init() throws {
        model = try embeddedModel()
    }

    private func options(_ change: (inout LiveOptions) -> Void = { _ in }) -> LiveOptions {
        var options = LiveOptions()
        options.features = [.init(hook: "encoder.blocks.2.mlp.1", index: 17)]
        var rolling = LiveOptions.Rolling()
        rolling.frames = 40
        rolling.inSilence = true
        options.rolling = rolling
        change(&options)
        return options
    }

    /// Steps all lanes until they are through, and gives all events.
    private func finish(_ line: LiveLine) async throws -> [LiveEvents.Numbered] {
        line.finish()
        for lane in line.lanes {
            line.events.push(try lane.lane.step(nil))
            line.events.push(try lane.lane.close(nil))
        }
        line.end()
        var events: [LiveEvents.Numbered] = []
        while let event = try await line.events.next() { events.append(event) }
        return events
    }

    private func readings(_ events: [LiveEvents.Numbered]) -> [LiveReading] {
        events.compactMap { if case .readings(let reading) = $0.event { reading } else { nil } }
    }

    @Test("sound that was lost is a gap: no pass hears both sides of it, and times go on behind it")
    func gap() async throws {
        let speech = try clipSamples("en-slt-02")
        let lost = 12_345
        let line = try LiveLine(model: model, options: options { $0.transcribes = true })
        try line.append(speech)
        try line.append(speech, lost: lost, reason: "overflow")
        let events = try await finish(line)
        let (start, end) = (Double(speech.count) / 16000, Double(speech.count + lost) / 16000)
        #expect(events.contains { $0.event == .gap(start: start, end: end, reason: "overflow") })
        let readings = readings(events)
        #expect(readings.allSatisfy { $0.end <= start || $0.start >= end })
        // What is said after it is what is said of the same sound before it, later.
        let (before, after) = (readings.filter { $0.end <= start }, readings.filter { $0.start >= end })
        let settled = [before, after].map { $0.flatMap { $0.values[0].prefix($0.settled) } }
        #expect(!settled[0].isEmpty && settled[0] == settled[1])
        #expect(abs((after.first?.start ?? 0) - end) < 1e-9)
        var texts: [String] = []
        for case .segment(let segment) in events.map(\.event) {
            #expect(segment.end <= start || segment.start >= end)
            texts.append(segment.text)
        }
        #expect(texts.count == 2 && texts[0] == texts[1])
        guard case .end(let duration, _, _, _)? = events.last?.event else {
            Issue.record("no end")
            return
        }
        #expect(duration == Double(2 * speech.count + lost) / 16000)
    }

    @Test("every event says when the newest sound that it speaks of was captured")
    func times() async throws {
        let speech = try clipSamples("en-slt-02")
        let line = try LiveLine(model: model, options: options())
        let base: Int64 = 1_700_000_000_000_000_000
        let half = speech.count / 2
        try line.append(Array(speech[..<half]), captured: base)
        // The device's clock said that the rest came a second later than it should have.
        let later = base + Int64(half) * 62_500 + 1_000_000_000
        try line.append(Array(speech[half...]), captured: later, lost: 16_000)
        line.mark("here")
        let events = try await finish(line)
        var checked = 0
        for event in events {
            guard let newest = event.event.newest else { continue }
            #expect(event.captured == base + Int64((newest * 16000).rounded()) * 62_500 && event.made > base)
            checked += 1
        }
        #expect(checked == events.count && checked > 10)
        #expect(events.contains { $0.event == .marked(time: Double(speech.count + 16_000) / 16000, label: "here") })
    }

    @Test("text is written with and without what is switched on, side by side, and as it was once that is switched off")
    func sideBySide() async throws {
        let speech = try clipSamples("en-slt-02")
        func texts(_ interventions: [String], compares: Bool = true) async throws -> [Bool: String] {
            let line = try LiveLine(
                model: model,
                options: options {
                    $0.features = []
                    $0.transcribes = true
                    $0.compares = compares
                    $0.interventions = [.text("encoder.ln_post = zero")]
                })
            try line.steer(interventions.map { .text($0) })
            try line.append(speech)
            let events = try await finish(line)
            #expect(events.contains { $0.event == .steering(start: 0, interventions: interventions) })
            var texts: [Bool: String] = [:]
            for case .segment(let segment) in events.map(\.event) {
                texts[segment.isPlain, default: ""] += segment.text
            }
            return texts
        }
        let untouched = try await texts([])
        #expect(untouched[false]?.isEmpty == false && untouched[false] == untouched[true])
        let changed = try await texts(["encoder.ln_post = zero"])
        #expect(changed[true] == untouched[true] && changed[false] != untouched[true])
        #expect(try await texts([], compares: false)[true] == nil)
    }

    @Test("an intervention that makes no sense is refused, and what held holds on")
    func refused() async throws {
        let line = try LiveLine(model: model, options: options())
        try line.steer([.text("encoder.blocks.1.mlp.1 = zero")])
        #expect(throws: WhisperError.self) { try line.steer([.text("encoder.nowhere = zero")]) }
        try line.append(try clipSamples("en-slt-02"))
        let steered = readings(try await finish(line))
        let plain = try LiveLine(model: model, options: options())
        try plain.append(try clipSamples("en-slt-02"))
        #expect(steered.map(\.values) != readings(try await finish(plain)).map(\.values))
    }

    @Test("more features than any hook point has are refused, and those of one hook point are looked up once")
    func many() throws {
        let feature = options().features[0]
        let line = try LiveLine(
            model: model,
            options: options { $0.features = [LiveOptions.Feature](repeating: feature, count: 8192) })
        #expect(line.duration == 0)
        let error = #expect(throws: ServiceError.self) {
            try LiveLine(
                model: model,
                options: options { $0.features = [LiveOptions.Feature](repeating: feature, count: 8193) })
        }
        #expect(error?.code == .invalidArgument && error?.message.contains("8193 features") == true)
    }

    @Test("levels are told at the pace of features, of all sound, and say where a voice may be")
    func levels() async throws {
        let line = try LiveLine(model: model, options: options { $0.features = [] })
        let speech = try clipSamples("en-slt-02")
        for start in stride(from: 0, to: speech.count, by: 333) {
            try line.append(Array(speech[start..<min(start + 333, speech.count)]))
        }
        var end = 0.0
        var heard = false
        for case .level(let start, let to, _, _, let voice) in try await finish(line).map(\.event) {
            #expect(start == end && to - start <= 0.1001)
            end = to
            heard = heard || voice
        }
        #expect(end == Double(speech.count) / 16000 && heard)
    }
}
