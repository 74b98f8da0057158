import Daemon
import Dictionaries
import Foundation
import Kernels
import Logging
import Synchronization
import TensorFiles
import TestSupport
import Testing
import Whisper

/// Keeps what it is given, and fails where it is told to.
private final class KeepingSink: TraceSink {
    struct Full: Error {}
    var steps: [String] = []
    var tensors: [String: Tensor] = [:]
    var failsAfter = Int.max

    func begin(windows: Int?) { steps.append("begin \(windows ?? 0)") }
    func append(_ description: TracedTensor, _ tensor: Tensor) throws {
        guard tensors.count < failsAfter else { throw Full() }
        steps.append(description.name)
        tensors[description.name] = tensor
        if description.shape != tensor.shape { Issue.record("\(description.name) is described as another shape") }
    }
    func finish(_ summary: TraceSummary) { steps.append("finish \(summary.tensors.count)") }
}

@Suite("The trace service", .timeLimit(.minutes(5))) struct TraceServiceTests {
    private let model: LoadedModel
    private let service: TraceService
    private let input: AudioInput

    init() throws {
        model = try embeddedModel()
        service = TraceService(model: model, logger: Logger(label: "test"))
        input = try AudioInput.clip(named: "en-slt-01")
    }

    @Test("a sink gets its beginning, each tensor in the order of the forward pass, and its end, as the file does")
    func sink() throws {
        let request = TraceRequest(hooks: ["log_mel", "encoder.conv2", "encoder.ln_post"])
        let sink = KeepingSink()
        let summary = try service.trace(input, request, into: sink)
        #expect(sink.steps == ["begin 1", "log_mel", "encoder.conv2", "encoder.ln_post", "finish 3"])
        #expect(summary.windows == 1 && summary.tensors.count == 3)
        let folder = try TemporaryFolder()
        _ = try service.trace(input, request, to: folder("t.safetensors"))
        let file = try SafetensorsFile(path: folder("t.safetensors"))
        #expect(file.names == sink.tensors.keys.sorted())
        for (name, tensor) in sink.tensors { #expect(try file.tensor(named: name).elements == tensor.elements) }
    }

    @Test("a context cut to the recording changes nothing before attention, and what comes after only somewhat")
    func autoContext() throws {
        let hooks = ["log_mel", "encoder.conv2", "encoder.blocks.3", "encoder.blocks.0.attn.pattern"]
        let exact = KeepingSink()
        let cut = KeepingSink()
        var request = TraceRequest(hooks: hooks)
        _ = try service.trace(input, request, into: exact)
        request.context = .auto
        _ = try service.trace(input, request, into: cut)
        // 2.4 s are 120 frames, and the convolutions see one more.
        #expect(cut.tensors["encoder.blocks.0.attn.pattern"]?.shape == [5, 120, 121])
        #expect(exact.tensors["encoder.blocks.0.attn.pattern"]?.shape == [5, 120, 500])
        #expect(cut.tensors["log_mel"]?.elements == exact.tensors["log_mel"]?.elements)
        let convolved = try difference("encoder.conv2", cut, exact)
        #expect(convolved < 1e-6)
        let residual = try difference("encoder.blocks.3", cut, exact)
        #expect(residual > 1e-3 && residual < 0.3, "\(residual)")
    }

    @Test("the decoder listens to a context that was cut to the recording, and its cross-attention ends with it")
    func autoContextOfTheDecoder() throws {
        let sink = KeepingSink()
        var request = TraceRequest(hooks: ["decoder.blocks.0.mlp.1", "decoder.blocks.0.cross_attn.pattern"])
        request.context = .auto
        let summary = try service.trace(input, request, into: sink)
        let tokens = try #require(summary.tokens.first).count
        #expect(tokens > 6)
        #expect(sink.tensors["decoder.blocks.0.mlp.1"]?.shape == [tokens, 640])
        #expect(sink.tensors["decoder.blocks.0.cross_attn.pattern"]?.shape.suffix(2) == [tokens, 121])
    }

    /// ‖a − b‖ / ‖b‖
    private func difference(_ name: String, _ a: KeepingSink, _ b: KeepingSink) throws -> Float {
        let a = try #require(a.tensors[name]), b = try #require(b.tensors[name])
        try #require(a.shape == b.shape)
        let squares = zip(a.elements, b.elements).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return (squares / b.elements.reduce(0) { $0 + $1 * $1 }).squareRoot()
    }

    @Test("a sink that fails ends the trace, and a file that cannot be completed leaves nothing")
    func failingSink() throws {
        let sink = KeepingSink()
        sink.failsAfter = 1
        #expect(throws: KeepingSink.Full.self) {
            try service.trace(input, TraceRequest(hooks: ["encoder.blocks.*"]), into: sink)
        }
        #expect(sink.steps == ["begin 1", "encoder.blocks.0"])
        let folder = try TemporaryFolder()
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try service.trace(input, TraceRequest(hooks: ["encoder.ln_post"]), to: folder("t.npz")) { done, _ in
                if done == 1 { throw Stop() }
            }
        }
        #expect(try folder.names().isEmpty)
    }

    @Test("a trace under the engine gives what one without gives, and ends at a checkpoint when it is cancelled")
    func turn() async throws {
        let queue = InferenceQueue()
        let (service, input) = (service, input)
        let plain = KeepingSink()
        _ = try service.trace(input, TraceRequest(hooks: ["encoder.ln_post", "decoder.ln"]), into: plain)
        let elements = try await queue.run(client: ClientID(1)) { turn in
            let sink = KeepingSink()
            _ = try service.trace(
                input, TraceRequest(hooks: ["encoder.ln_post", "decoder.ln"]), into: sink, turn: turn)
            return sink.tensors.mapValues(\.elements)
        }
        #expect(elements == plain.tensors.mapValues(\.elements))

        let folder = try TemporaryFolder()
        let began = Mutex(false)
        let task = Task {
            try await queue.run(client: ClientID(1)) { turn in
                _ = try service.trace(input, TraceRequest(hooks: ["**"]), to: folder("t.npz"), turn: turn) { _, _ in
                    began.withLock { $0 = true }
                    while !turn.isCancelled { usleep(1000) }
                }
            }
        }
        while !began.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
        task.cancel()
        let error = await #expect(throws: ServiceError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(try folder.names().isEmpty)
        #expect(queue.running == 0)
    }

    @Test("a transcript under the engine equals one without, and its deadline is told as such")
    func transcript() async throws {
        let queue = InferenceQueue()
        let input = input
        var request = TranscriptionRequest()
        request.options.temperatures = [0]
        let service = try TranscribeService(model: model, request, logger: Logger(label: "test"))
        let plain = try service.transcribe(input)
        #expect(!plain.transcription.text.isEmpty)
        let (text, segments) = try await queue.run(client: ClientID(1)) { turn in
            let segments = Mutex(0)
            let transcript = try service.transcribe(
                input, observer: TranscriptionObserver(segment: { _ in segments.withLock { $0 += 1 } }), turn: turn)
            return (transcript.transcription.text, segments.withLock { $0 })
        }
        #expect(text == plain.transcription.text && segments == plain.transcription.segments.count)

        let deadline = ContinuousClock.now + .seconds(2)
        let error = await #expect(throws: ServiceError.self) {
            try await queue.run(client: ClientID(1), deadline: deadline) { turn in
                while !turn.isCancelled { usleep(1000) }
                _ = try service.transcribe(input, turn: turn)
            }
        }
        #expect(error?.code == .deadlineExceeded)
        let languages = try service.detectLanguage(input)
        #expect(languages.map(\.probability) == languages.map(\.probability).sorted(by: >))
    }
}

@Suite("Interventions as they are asked for") struct InterventionSpecTests {
    private let dimensions = ModelDimensions(
        nMels: 80, nAudioCtx: 100, nAudioState: 8, nAudioHead: 2, nAudioLayer: 2, nVocab: 100, nTextCtx: 16,
        nTextState: 8, nTextHead: 2, nTextLayer: 2)

    private func parts(
        _ hook: String, _ operation: InterventionParts.Operation, from start: UInt64? = nil, to end: UInt64? = nil,
        heads: [UInt32] = []
    ) -> InterventionSpec {
        .parts(
            InterventionParts(
                hook: hook, positions: start.map { InterventionParts.PositionBounds(start: $0, end: end) },
                heads: heads,
                operation))
    }

    @Test("the parts say what the text says")
    func equalForms() throws {
        let pairs: [(InterventionSpec, String)] = [
            (parts("encoder.blocks.*", .zero, from: 5, to: 10), "encoder.blocks.* @frames 5:10 = zero"),
            (parts("encoder.blocks.1.mlp.1", .scale(0.5), from: 5), "encoder.blocks.1.mlp.1 @frames 5: = scale 0.5"),
            (parts("encoder.blocks.*.attn", .window(3), heads: [1]), "encoder.blocks.*.attn @heads 1 window 3"),
            (parts("encoder.ln_post", .noise(standardDeviation: 2, seed: 7)), "encoder.ln_post = noise 2 seed 7"),
            (parts("encoder.ln_post", .substitutePadding), "encoder.ln_post substitute-padding"),
        ]
        for (spec, text) in pairs {
            let (a, b) = try (spec.intervention(dimensions), InterventionSpec.text(text).intervention(dimensions))
            #expect(a.targets == b.targets && a.positions == b.positions && a.heads == b.heads, "\(text)")
            #expect("\(a.operation)" == "\(b.operation)")
            // What is written about it can be read again.
            let again = try InterventionSpec.text(spec.description).intervention(dimensions)
            #expect(again.targets == a.targets && again.positions == a.positions && again.heads == a.heads)
        }
    }

    @Test("a dictionary's operations in parts say what the text says, in a folder with a blank in its name too")
    func dictionaries() throws {
        let folder = try TemporaryFolder()
        let path = folder("a dictionary")
        let matrix = Tensor(shape: [3, 8], (0..<24).map { Float($0 % 5) - 2 })
        try SparseDictionary(
            encoder: matrix, decoder: matrix, encoderBias: [0, 0, 0], decoderBias: [Float](repeating: 0, count: 8),
            activation: .relu
        ).write(to: path, facts: [:])
        let pairs: [(InterventionSpec, String)] = [
            (parts("encoder.blocks.0", .splice(path), from: 5), "encoder.blocks.0 @frames 5: splice \"\(path)\""),
            (
                parts("encoder.blocks.0", .latent(path, 2, .scale(0.5))),
                "encoder.blocks.0 latent \"\(path)\" 2 = scale 0.5"
            ),
            (parts("encoder.blocks.0", .latent(path, 0, .set(0))), "encoder.blocks.0 latent \"\(path)\" 0 = zero"),
        ]
        for (spec, text) in pairs {
            let expected = try InterventionSpec.text(text).intervention(dimensions)
            for found in try [spec, .text(spec.description)].map({ try $0.intervention(dimensions) }) {
                #expect(found.targets == expected.targets && found.positions == expected.positions, "\(text)")
                switch (found.operation, expected.operation) {
                case (.splice(let a), .splice(let b)): #expect(a.encoder.elements == b.encoder.elements)
                case (.latent(_, let i, let a), .latent(_, let j, let b)): #expect(i == j && a == b)
                default: Issue.record("\(found.operation) is not \(expected.operation)")
                }
            }
        }
        let bad: [(InterventionParts.Operation, String)] = [
            (.splice(folder("nowhere")), "nowhere"), (.latent(path, 3, .set(1)), "no latent 3"),
            (.latent(path, 0, .scale(.nan)), "factor"), (.latent(path, 0, .set(.infinity)), "value"),
        ]
        for (operation, word) in bad {
            let error = #expect(throws: (any Error).self) {
                try parts("encoder.blocks.0", operation).intervention(dimensions)
            }
            #expect("\(error.map { "\($0)" } ?? "")".contains(word), "\(operation)")
        }
    }

    @Test("positions past all numbers are no trap: an end there means the last, a start there is refused")
    func hugePositions() throws {
        let open = try parts("encoder.ln_post", .zero, from: 3, to: .max).intervention(dimensions)
        #expect(open.positions == 3..<Int.max)
        for (start, end) in [(UInt64.max, nil), (UInt64.max - 1, UInt64.max), (5, 5), (6, 5), (0, 0)] {
            let spec = parts("encoder.ln_post", .zero, from: start, to: end)
            let error = #expect(throws: ServiceError.self) { try spec.intervention(dimensions) }
            #expect(error?.code == .invalidArgument && error?.message.contains("positions") == true)
        }
    }

    @Test("what makes no sense is refused in words")
    func refused() throws {
        let bad: [(InterventionSpec, String)] = [
            (parts("encoder.nothing", .zero), "encoder.nothing"),
            (parts("encoder.ln_post", .scale(.nan)), "factor"),
            (parts("encoder.ln_post", .noise(standardDeviation: .infinity, seed: 0)), "deviation"),
            (parts("encoder.blocks.0.attn.q", .zero, heads: [2]), "head 2"),
            (parts("encoder.ln_post", .zero, heads: [0]), "no heads"),
            (parts("encoder.blocks.0.mlp.1", .window(3)), "window"),
            (parts("decoder.ln", .substitutePadding), "encoder"),
            (parts("encoder.ln_post", .set(.path("/nowhere/x.safetensors"))), "/nowhere/x.safetensors"),
            (.text(""), "hook"), (.text("encoder.ln_post = fly"), "fly"),
        ]
        for (spec, word) in bad {
            let error = #expect(throws: (any Error).self) { try spec.intervention(dimensions) }
            #expect("\(error.map { "\($0)" } ?? "")".contains(word), "\(spec)")
        }
    }

    @Test("a tensor by value is what a tensor in a file is")
    func tensors() throws {
        let folder = try TemporaryFolder()
        let tensor = Tensor(shape: [8], (0..<8).map(Float.init))
        let writer = try SafetensorsWriter(path: folder("x.safetensors"))
        try writer.append("any", tensor)
        try writer.finish()
        for source in [InterventionParts.TensorSource.tensor(tensor), .path(folder("x.safetensors"))] {
            guard
                case .add(let found, 2) = try parts("encoder.ln_post", .add(source, 2)).intervention(dimensions)
                    .operation
            else {
                Issue.record("another operation")
                continue
            }
            #expect(found.elements == tensor.elements)
        }
    }
}
