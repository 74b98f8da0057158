import Audio
import Foundation
import Kernels
import Logging
import Messages
import PluginHost
import Synchronization
import TestSupport
import Testing
import Whisper
import Wire

@testable import Daemon

@Suite("Plugins that hear sound while it is made", .timeLimit(.minutes(5))) struct LivePluginTests {
    private let model: LoadedModel
    private let bench: PluginBench

    init() throws {
        model = try embeddedModel()
        bench = try PluginBench(recordings: 0)
    }

    /// What a fake plugin was given.
    private final class Heard: Sendable {
        let clips = Mutex<[PluginClipValue]>([])
        var all: [PluginClipValue] { clips.withLock { $0 } }
    }

    private func behaviour(
        _ heard: Heard, hooks: [String] = ["encoder.blocks.2.mlp.1", "encoder.conv1"],
        _ change: (inout FakePlugin.Behaviour) -> Void = { _ in }
    ) -> FakePlugin.Behaviour {
        var behaviour = FakePlugin.Behaviour()
        behaviour.needs.hooks = hooks
        behaviour.needs.canStream = true
        behaviour.processed = { clip in heard.clips.withLock { $0.append(clip) } }
        change(&behaviour)
        return behaviour
    }

    private func options(_ change: (inout LiveOptions) -> Void = { _ in }) -> LiveOptions {
        var options = LiveOptions()
        var rolling = LiveOptions.Rolling()
        rolling.frames = 40
        rolling.inSilence = true
        options.rolling = rolling
        options.plugins = [.init(id: "counting")]
        change(&options)
        return options
    }

    private func plugins(
        _ behaviour: FakePlugin.Behaviour, _ options: LiveOptions, _ journal: FakePlugin.Journal = .init()
    ) throws -> [LivePlugin] {
        try bench.service(FakePlugin.catalogue(behaviour, journal)).live(
            options.plugins, [], model: model, client: ClientID(1), running: RunningPlugins(), name: "sound")
    }

    /// All that a line says of samples that come in pieces.
    private func events(
        _ line: LiveLine, _ samples: [Int16], piece: Int = 1600, lostAt: Int? = nil
    ) async throws -> [LiveEvent] {
        for start in stride(from: 0, to: samples.count, by: piece) {
            let lost = lostAt.map { start == $0 / piece * piece ? 16_000 : 0 } ?? 0
            try line.append(Array(samples[start..<min(start + piece, samples.count)]), lost: lost)
            for lane in line.lanes where lane.lane.isReady { line.events.push(try lane.lane.step(nil)) }
        }
        line.finish()
        for lane in line.lanes { line.events.push(try lane.lane.close(nil) + lane.finish(nil)) }
        line.end()
        var events: [LiveEvent] = []
        while let event = try await line.events.next() { events.append(event.event) }
        return events
    }

    private func news(_ events: [LiveEvent]) -> [LivePluginNews] {
        events.compactMap { if case .plugin(let news) = $0 { news } else { nil } }
    }

    @Test(
        "each frame is heard once, with its activations, its samples and its place, however sound comes in",
        arguments: [320, 1600, 4801, 100_000])
    func frames(piece: Int) async throws {
        let heard = Heard()
        let options = options()
        let line = try LiveLine(model: model, options: options, plugins: plugins(behaviour(heard), options))
        let samples = try clipSamples("en-slt-02")
        _ = try await events(line, samples, piece: piece)
        let clips = heard.all
        #expect(clips.map(\.window) == Array(0..<clips.count) && clips.count > 3)
        #expect(clips.allSatisfy { $0.windowCount == 0 && $0.recording == 0 && $0.name == "sound" })
        #expect(clips.flatMap { $0.samples ?? [] } == samples.map { Float($0) / 32768 })
        var next = 0
        for clip in clips {
            #expect(abs(clip.start - Double(next) / 50) < 1e-9)
            #expect(clip.tensors.map(\.hook) == ["encoder.conv1", "encoder.blocks.2.mlp.1"])
            for (tensor, each) in zip(clip.tensors, [2, 1]) {
                #expect(tensor.shape[0] == clip.validFrames * each && tensor.firstPosition == next * each)
                #expect(tensor.validPositions == tensor.shape[0])
            }
            next += clip.validFrames
        }
        #expect(next == EncoderFrames.valid(sampleCount: samples.count))
    }

    @Test("what it hears of a frame is what a live feature settles at")
    func settled() async throws {
        let heard = Heard()
        let options = options { $0.features = [.init(hook: "encoder.blocks.2.mlp.1", index: 17)] }
        let line = try LiveLine(model: model, options: options, plugins: plugins(behaviour(heard), options))
        let found = try await events(line, try clipSamples("en-slt-02"))
        var values: [Float] = []
        for clip in heard.all {
            let tensor = try #require(clip.tensors.last)
            let width = try #require(tensor.shape.last)
            try tensor.withBytes { bytes in
                let numbers = bytes.bindMemory(to: Float.self)
                values += (0..<clip.validFrames).map { numbers[$0 * width + 17] }
            }
        }
        var features: [Float] = []
        for case .readings(let reading) in found { features += reading.values[0].prefix(reading.settled) }
        #expect(!values.isEmpty && values == features)
    }

    @Test(
        "what it is comes first, its results while it hears, and those of all at the end, after which its process ends")
    func results() async throws {
        let journal = FakePlugin.Journal()
        let options = options()
        let line = try LiveLine(
            model: model, options: options, plugins: plugins(behaviour(Heard()), options, journal))
        let found = try await events(line, try clipSamples("en-slt-02"))
        let news = news(found)
        guard case .description(let description)? = news.first?.kind else {
            Issue.record("no description first")
            return
        }
        #expect(description.listing.id == FakePlugin.id)
        let outputs = news.compactMap { if case .result(let result) = $0.kind { result.output } else { nil } }
        #expect(outputs.dropLast(2).allSatisfy { $0 == "sum" } && outputs.count > 4)
        #expect(outputs.suffix(2) == ["frames", "total"])
        // In the middle of the session, and each of the sound that it is about.
        let spans = news.dropFirst().dropLast(2)
        for (one, next) in zip(spans, spans.dropFirst()) {
            #expect(abs(one.end - next.start) < 1e-9 && one.start < one.end)
        }
        #expect(news.last?.start == 0 && abs((news.last?.end ?? 0) - line.duration) < 1e-9)
        #expect(journal.lines.withLock { $0 } == ["start", "create step=1 mode=fast", "activate 1", "close"])
    }

    @Test("sound that was lost is no stretch: what follows has its own place, and the plugin goes on")
    func gap() async throws {
        let heard = Heard()
        let options = options()
        let line = try LiveLine(model: model, options: options, plugins: plugins(behaviour(heard), options))
        let samples = try clipSamples("en-slt-02")
        _ = try await events(line, samples, lostAt: 16_000)
        let clips = heard.all
        #expect(clips.map(\.window) == Array(0..<clips.count))
        #expect(clips.flatMap { $0.samples ?? [] } == samples.map { Float($0) / 32768 })
        let steps = zip(clips, clips.dropFirst()).map { $1.start - $0.start - $0.duration }
        #expect(steps.count { abs($0 - 1) < 1e-9 } == 1 && steps.count { abs($0) < 1e-9 } == steps.count - 1)
        #expect(abs((clips.last.map { $0.start + $0.duration } ?? 0) - line.duration) < 1e-9)
    }

    @Test("silence is not heard where activations are needed, and is where samples alone are")
    func silence() async throws {
        let samples = [Int16](repeating: 0, count: 32_000) + (try clipSamples("en-slt-02"))
        for (hooks, hearsAll) in [(["encoder.conv1"], false), ([], true)] {
            let heard = Heard()
            let options = options { $0.rolling?.inSilence = false }
            let line = try LiveLine(
                model: model, options: options, plugins: plugins(behaviour(heard, hooks: hooks), options))
            _ = try await events(line, samples)
            let first = try #require(heard.all.first?.start)
            #expect(hearsAll ? first == 0 : first > 1 && first < 2.5)
        }
    }

    @Test("one that goes wrong is told and hears no more, and the session goes on")
    func failure() async throws {
        let heard = Heard()
        let journal = FakePlugin.Journal()
        let options = options { $0.features = [.init(hook: "encoder.ln_post", index: 0)] }
        let broken = behaviour(heard) { behaviour in
            behaviour.hearing = { _ in
                if heard.all.count == 2 { throw PluginError(.failed, "the third is too much") }
            }
        }
        let line = try LiveLine(model: model, options: options, plugins: plugins(broken, options, journal))
        let samples = try clipSamples("en-slt-02")
        let found = try await events(line, samples)
        let failures = news(found).compactMap { if case .failure(let reason) = $0.kind { reason } else { nil } }
        #expect(failures.count == 1 && failures[0].contains("the third is too much"))
        #expect(heard.all.count == 2 && journal.count("close") == 1)
        var settled = 0
        for case .readings(let reading) in found { settled += reading.settled }
        #expect(settled == EncoderFrames.valid(sampleCount: samples.count))
    }

    @Test("interventions act on what it hears, and what it asks of the engine is answered")
    func steered() async throws {
        let samples = try clipSamples("en-slt-02")
        func sums(_ interventions: [String]) async throws -> [Double] {
            let options = options { $0.interventions = interventions.map { .text($0) } }
            let asking = behaviour(Heard()) { $0.asksWhileHearing = { _ = try $0.encode("a", parseSpecial: false) } }
            let line = try LiveLine(model: model, options: options, plugins: plugins(asking, options))
            return news(try await events(line, samples)).compactMap { news in
                if case .result(let result) = news.kind, case .scalar(let number) = result.value { number } else { nil }
            }
        }
        let plain = try await sums([])
        let changed = try await sums(["encoder.blocks.2.mlp.1 = zero"])
        #expect(plain.count > 4 && plain.count == changed.count && plain != changed)
        #expect(try await sums([]) == plain)
    }

    @Test("a result of more than a megabyte is left out with a warning")
    func large() async throws {
        let options = options()
        let giving = behaviour(Heard()) {
            $0.gives = { _ in
                [PluginResult(output: "huge", value: .text(String(repeating: "x", count: (1 << 20) + 1)))]
            }
        }
        let line = try LiveLine(model: model, options: options, plugins: plugins(giving, options))
        let news = news(try await events(line, try clipSamples("en-slt-02")))
        #expect(!news.contains { if case .result(let result) = $0.kind { result.output == "huge" } else { false } })
        let warnings = news.compactMap { if case .log(let log) = $0.kind { log } else { nil } }
        #expect(!warnings.isEmpty && warnings.allSatisfy { $0.level == "warning" && $0.message.contains("'huge'") })
    }

    @Test("what cannot hear live sound is refused before any, and its process ends")
    func refused() throws {
        let bad: [(String, (inout FakePlugin.Behaviour) -> Void)] = [
            ("does not say that it can stream", { $0.needs.canStream = false }),
            ("hears nothing at all", { $0.needs.nothingToHear = true }),
            ("axes head, frame, key_frame", { $0.needs.hooks = ["encoder.blocks.0.attn.pattern"] }),
            ("expected an encoder activation", { $0.needs.hooks = ["decoder.blocks.0"] }),
            ("encoder.nowhere", { $0.needs.hooks = ["encoder.nowhere"] }),
        ]
        for (words, change) in bad {
            let journal = FakePlugin.Journal()
            let options = options()
            let error = #expect(throws: (any Error).self) {
                try plugins(behaviour(Heard(), change), options, journal)
            }
            #expect("\(error.map { "\($0)" } ?? "")".contains(words), "\(String(describing: error))")
            #expect(journal.count("close") == 1)
        }
        #expect(throws: PluginError.self) {
            try plugins(behaviour(Heard()), options { $0.plugins = [.init(id: "nobody")] })
        }
        let error = #expect(throws: ServiceError.self) {
            try plugins(
                behaviour(Heard()),
                options { $0.plugins = [.init(id: "counting", arguments: [PluginArgument(id: "step", value: "10")])] })
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test(
        "over the wire a plugin in a process of its own hears what is sent; one that crashes is told, and the words come"
    )
    func wire() async throws {
        let good = try TestBundle(fault: "streams"), bad = try TestBundle(fault: "streams-crashes")
        try await TestDaemon.run { daemon in
            let client = try await daemon.connect()
            var open = V1.LiveOpen(language: "en", transcribe: true)
            open.rolling = V1.LiveRolling(contextMs: 800)
            open.plugins = [V1.LivePlugin(pluginId: good.path), V1.LivePlugin(pluginId: bad.path)]
            let call = try await Listening(client, open)
            try await call.send(.pcmS16le(Sound.s16le(try Sound.samples())))
            try await call.finish()
            try await eventually("it has ended") { call.hasEnded }
            #expect(call.error == nil && call.text.contains("goat"))
            var results: [String] = []
            var failures: [(UInt32, String)] = []
            for case .plugin(let news)? in call.events.map(\.event) {
                switch news.news {
                case .description(let one)?:
                    #expect(one.needs?.canStream == true && one.listing?.id == "org.example.faulty")
                case .result(let one)?:
                    #expect(news.plugin == 0)
                    results.append(one.outputId)
                case .failure(let reason)?: failures.append((news.plugin, reason))
                case .log?, nil: break
                }
            }
            #expect(results == ["sum", "clips"])
            #expect(failures.count == 1 && failures[0].0 == 1 && failures[0].1.contains("SIGABRT"), "\(failures)")
            // Without a rolling context there is nothing for a plugin to hear.
            open.rolling = nil
            let refused = try await Listening(client, open)
            try await eventually("it is refused") { refused.hasEnded }
            #expect((refused.error as? WireError)?.code == .invalidArgument)
            await client.close()
        }
    }
}
