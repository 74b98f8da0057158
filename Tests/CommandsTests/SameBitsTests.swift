import Daemon
import Files
import Foundation
import Logging
import Messages
import TensorFiles
import TestSupport
import Testing
import Whisper
import Wire

/// What comes through the socket is what the engine gives, to the last bit.
@Suite("Through the socket") struct SameBitsTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func withDaemon<Result>(
        _ data: TemporaryFolder, _ body: (WireClient) async throws -> Result
    ) async throws -> Result {
        let daemon = try await InProcessDaemon(data)
        let client = try await WireClient.connect(to: try #require(daemon.environment["AUSCULT_SOCKET"]))
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(client)) } catch { result = .failure(error) }
        await client.close()
        await daemon.stop()
        return try result.get()
    }

    private func model(_ data: TemporaryFolder) throws -> LoadedModel {
        try ModelService(registry: ModelRegistry(in: DataFolder(path: data.path)), logger: logger).open(nil)
    }

    @Test("transcripts are bit-identical", arguments: ["en-slt-01", "fr-male-01", "nonspeech-hum"])
    func transcript(clip: String) async throws {
        let data = try TemporaryFolder()
        var request = TranscriptionRequest()
        request.options.wordTimestamps = true
        request.options.decoding.seed = 7
        let direct = try TranscribeService(model: model(data), request, logger: logger)
            .transcribe(AudioInput.clip(named: clip))
        let wire = try await withDaemon(data) { client in
            try await client.call(
                V1.TranscribeRPC.transcribe,
                V1.TranscribeRequest(
                    audio: V1.AudioSource(source: .clip(clip)),
                    options: V1.DecodingOptions(wordTimestamps: true, seed: 7)))
        }
        #expect(wire.text == direct.transcription.text)
        #expect(wire.language == direct.transcription.language)
        #expect(wire.segments.count == direct.transcription.segments.count)
        for (there, here) in zip(wire.segments, direct.transcription.segments) {
            #expect(there.tokens.map { Int($0) } == here.tokens)
            let numbers = [
                (there.start, here.start), (there.end, here.end), (there.avgLogprob, here.avgLogprob),
                (there.temperature, here.temperature), (there.compressionRatio, here.compressionRatio),
                (there.noSpeechProb ?? -1, here.noSpeechProb ?? -1),
            ]
            #expect(numbers.allSatisfy { $0.bitPattern == $1.bitPattern })
            let words = here.words ?? []
            #expect(there.words.map(\.word) == words.map(\.word))
            #expect(
                zip(there.words, words).allSatisfy {
                    $0.start.bitPattern == $1.start.bitPattern && $0.end.bitPattern == $1.end.bitPattern
                        && $0.probability.bitPattern == $1.probability.bitPattern
                })
        }
    }

    @Test("traces are the same file, byte for byte, and the same tensors where they are streamed")
    func trace() async throws {
        let data = try TemporaryFolder()
        let hooks = ["log_mel", "encoder.blocks.1.attn.pattern", "encoder.ln_post", "decoder.logits"]
        let input = try AudioInput.clip(named: "en-slt-01")
        _ = try TraceService(model: model(data), logger: logger)
            .trace(input, TraceRequest(hooks: hooks), to: data("here.safetensors"))
        let audio = V1.AudioSource(source: .clip("en-slt-01"))
        let streamed = try await withDaemon(data) { client in
            let toFile = V1.TraceRequest(audio: audio, hooks: hooks, output: .file(data("there.safetensors")))
            _ = try await client.call(V1.TraceRPC.runToEnd, toFile)
            var tensors: [(name: String, bytes: [UInt8])] = []
            for try await event in try await client.stream(
                V1.TraceRPC.run, V1.TraceRequest(audio: audio, hooks: hooks))
            {
                switch event.event {
                case .tensor(let header)?: tensors.append((header.name, []))
                case .chunk(let chunk)?:
                    guard var last = tensors.popLast() else { break }
                    last.bytes += chunk.data
                    tensors.append(last)
                default: break
                }
            }
            return tensors
        }
        let here = try Data(contentsOf: URL(fileURLWithPath: data("here.safetensors")))
        #expect(try here == Data(contentsOf: URL(fileURLWithPath: data("there.safetensors"))))
        let file = try SafetensorsFile(path: data("here.safetensors"))
        #expect(streamed.map(\.name).sorted() == hooks.sorted())
        for tensor in streamed {
            let values = try file.tensor(named: tensor.name).elements
            #expect(values.withUnsafeBytes { Array($0) } == tensor.bytes)
        }
    }
}
