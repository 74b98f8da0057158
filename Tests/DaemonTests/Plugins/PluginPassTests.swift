import Audio
import Files
import Foundation
import Logging
import PluginHost
import Synchronization
import TestSupport
import Testing

@testable import Daemon

/// What a plugin gets where it asks for a pass, by the embedded model and clips.
@Suite("Passes that plugins ask for", .timeLimit(.minutes(5))) struct PluginPassTests {
    /// Runs `body` with what a plugin may ask.
    private func asking(
        allFrames: Bool = false, _ body: @escaping @Sendable (any PluginServices) throws -> Void
    ) async throws {
        let bench = try PluginBench(recordings: 1), journal = FakePlugin.Journal()
        var behaviour = FakePlugin.Behaviour()
        behaviour.needs.allFrames = allFrames
        behaviour.asks = {
            try body($0)
            return "asked"
        }
        _ = try await bench.run(FakePlugin.catalogue(behaviour, journal), bench.request())
        #expect(journal.count("asked") == 1)
    }

    private static func samples() throws -> [Float] {
        try SampleBuffer.read(AudioInput.clip(named: "en-slt-01").source).readAll()
    }

    private static func floats(_ tensor: PluginTensor) throws -> [Float] {
        var floats: [Float] = []
        try tensor.withBytes { floats = Array($0.bindMemory(to: Float.self)) }
        return floats
    }

    private static func ints(_ tensor: PluginTensor) throws -> [Int32] {
        var ints: [Int32] = []
        try tensor.withBytes { ints = Array($0.bindMemory(to: Int32.self)) }
        return ints
    }

    @Test(
        "are those of a trace with the same objectives and changes, tensor by tensor",
        arguments: [
            ["transcript"], ["encoder-sum", "encoder.blocks.1.mlp.1:7@frames 10:20"], ["text hello there"], [],
        ])
    func trace(objectives: [String]) async throws {
        let hooks = ["log_mel", "encoder.blocks.0.attn.pattern", "encoder.blocks.*.mlp.1", "decoder.token_embedding"]
        let changes = ["encoder.blocks.1 @neurons 3 = clamp :q0.8"]
        var request = TraceRequest(hooks: hooks)
        (request.objectives, request.interventions) = (objectives, changes.map { .text($0) })
        let sink = KeptTensors()
        let service = TraceService(model: try embeddedModel(), logger: Logger(label: "test"))
        let traced = try service.trace(AudioInput.clip(named: "en-slt-01"), request, into: sink)
        let expected = sink.tensors.mapValues(\.elements), shapes = sink.tensors.mapValues(\.shape)
        let order = sink.descriptions.map(\.name)
        let tokens = traced.tokens.first ?? []
        try await asking { services in
            let pass = PluginPass(
                sound: .samples(try Self.samples()), interventions: changes, objectives: objectives, hooks: hooks)
            let found = try services.pass(pass)
            #expect(found.values == traced.objectives.map { $0.values[0] })
            #expect(found.tensors.map(\.hook) == ["tokens"] + order)
            #expect(try Self.ints(found.tensors[0]) == tokens.map { Int32($0) })
            for tensor in found.tensors.dropFirst() {
                #expect(tensor.shape == shapes[tensor.hook] && tensor.axes.count == tensor.shape.count)
                #expect(try Self.floats(tensor) == expected[tensor.hook], "\(tensor.hook)")
            }
            // The same tokens, given.
            var given = pass
            given.tokens = tokens.map { Int32($0) }
            given.objectives = objectives.map { $0.hasPrefix("text") ? "transcript" : $0 }
            let again = try services.pass(given)
            #expect(again.values == found.values)
            for (one, other) in zip(found.tensors, again.tensors) where one.hook != "tokens" {
                #expect(try Self.floats(one) == Self.floats(other), "\(one.hook)")
            }
        }
    }

    @Test("on a log-mel of the plugin's own are those on its samples, and a gradient is the slope of the objective")
    func logMel() async throws {
        try await asking(allFrames: true) { services in
            let hooks = ["log_mel", "encoder.blocks.1.mlp.1", "encoder.ln_post"]
            let objective = "encoder.blocks.1.mlp.1:7@frames 10:40"
            let heard = try services.pass(
                PluginPass(sound: .samples(try Self.samples()), objectives: [objective], hooks: hooks))
            let mel = heard.tensors[0], elements = try Self.floats(mel)
            #expect(mel.hook == "log_mel" && mel.axes == ["mel", "mel_frame"] && mel.shape[1] > mel.validPositions)
            func pass(_ elements: [Float], _ objectives: [String], _ hooks: [String]) throws -> PluginPassAnswer {
                let sound = PluginPass.Sound.logMel(shape: mel.shape, elements: elements, valid: mel.validPositions)
                return try services.pass(PluginPass(sound: sound, objectives: objectives, hooks: hooks))
            }
            let own = try pass(elements, [objective], hooks)
            #expect(own.values == heard.values && own.tensors.count == heard.tensors.count)
            for (one, other) in zip(heard.tensors, own.tensors) {
                #expect(one.hook == other.hook && one.validPositions == other.validPositions)
                #expect(try Self.floats(one) == Self.floats(other), "\(one.hook)")
            }
            // Values alone.
            let plain = try pass(elements, [], hooks)
            #expect(plain.values.isEmpty && plain.tensors.map(\.hook) == hooks)
            #expect(try Self.floats(plain.tensors[1]) == Self.floats(own.tensors[1]))

            let last = try #require(own.tensors.last), gradient = try Self.floats(last)
            #expect(last.hook == "log_mel@grad" && last.shape == mel.shape)
            let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            func value(_ step: Double) throws -> Double {
                let moved = zip(elements, gradient).map { $0 + Float(step * Double($1) / norm) }
                let found = try pass(moved, [objective], [])
                #expect(found.tensors.isEmpty)
                return found.values[0]
            }
            let slope = try (value(0.02) - value(-0.02)) / 0.04
            #expect(abs(slope - norm) < 0.02 * norm, "\(slope), \(norm)")
        }
    }

    @Test("of a short context have as many frames as the log-mel")
    func shortContext() async throws {
        try await asking { services in
            let bands = 80, frames = 40
            let mel = (0..<bands * frames).map { Float($0 % 17) / 17 - 0.5 }
            let found = try services.pass(
                PluginPass(
                    sound: .logMel(shape: [bands, frames], elements: mel, valid: 0), objectives: ["encoder-sum"],
                    hooks: ["encoder.conv1", "encoder.ln_post"]))
            #expect(found.tensors.map { $0.shape[0] } == [40, 20, 20, 40])
        }
    }

    @Test("that make no sense are refused in words, and the plugin goes on")
    func refused() async throws {
        try await asking { services in
            let mel = PluginPass.Sound.logMel(shape: [80, 20], elements: .init(repeating: 0, count: 1600), valid: 0)
            func expect(_ words: String, _ code: ErrorCode, _ pass: PluginPass) {
                let error = #expect(throws: PluginError.self) { try services.pass(pass) }
                #expect(error?.message.contains(words) == true && error?.code == code, "\(error?.message ?? "")")
            }
            let hooks = ["encoder.conv2"]
            expect("at least one", .invalidArgument, PluginPass(sound: .padding))
            expect("is no objective", .invalidArgument, PluginPass(sound: mel, objectives: ["much"], hooks: hooks))
            expect(
                "expected at most 64", .invalidArgument,
                PluginPass(sound: mel, objectives: .init(repeating: "encoder-sum", count: 65), hooks: hooks))
            expect("no hook point", .invalidArgument, PluginPass(sound: mel, hooks: ["encoder.conv7"]))
            expect(
                "even number of frames", .invalidArgument,
                PluginPass(
                    sound: .logMel(shape: [80, 3], elements: .init(repeating: 0, count: 240), valid: 0), hooks: hooks))
            expect(
                "even number of frames", .invalidArgument,
                PluginPass(
                    sound: .logMel(shape: [3, 80], elements: .init(repeating: 0, count: 240), valid: 0), hooks: hooks))
            expect(
                "to be valid", .invalidArgument,
                PluginPass(
                    sound: .logMel(shape: [80, 2], elements: .init(repeating: 0, count: 160), valid: 5), hooks: hooks))
            expect(
                "finite", .invalidArgument,
                PluginPass(
                    sound: .logMel(shape: [80, 2], elements: .init(repeating: .nan, count: 160), valid: 0), hooks: hooks
                ))
            expect(
                "has no words", .invalidArgument,
                PluginPass(sound: mel, interventions: ["encoder.conv2 @word 1 = zero"], hooks: hooks))
            expect(
                "edge", .unsupported,
                PluginPass(
                    sound: mel, interventions: ["encoder.blocks.0.mlp @to encoder.blocks.1.mlp.0 = zero"],
                    objectives: ["encoder-sum"], hooks: hooks))
            expect(
                "does not depend on", .invalidArgument,
                PluginPass(sound: mel, objectives: ["encoder.conv1:1"], hooks: ["encoder.ln_post"]))
            expect(
                "no tokens", .invalidArgument,
                PluginPass(sound: mel, tokens: [1], objectives: ["text hello"], hooks: hooks))
            let found = try services.pass(PluginPass(sound: mel, hooks: hooks))
            #expect(found.tensors.count == 1)
        }
    }
}
