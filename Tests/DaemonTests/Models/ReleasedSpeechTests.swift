import Audio
import Daemon
import Files
import Foundation
import Logging
import Mel
import TestSupport
import Testing
import Whisper

/// What openai-whisper made of recordings with the released tiny.en: Tests/Fixtures/released/generate.py.
private struct Expected: Decodable {
    struct Recording: Decodable {
        let file, text: String
        let segments: [Segment]
    }
    struct Segment: Decodable {
        let tokens: [Int]
        let start, end: Double
        let words: [Word]
    }
    struct Word: Decodable {
        let text: String
        let start, end: Double
        init(from decoder: any Swift.Decoder) throws {
            var cells = try decoder.unkeyedContainer()
            text = try cells.decode(String.self)
            (start, end) = (try cells.decode(Double.self), try cells.decode(Double.self))
        }
    }
    let recordings: [Recording]

    static func load() throws -> [Recording] {
        let file = URL(fileURLWithPath: Fixtures.path("released/expected.json"))
        return try JSONDecoder().decode(Expected.self, from: Data(contentsOf: file)).recordings
    }
}

@Suite(
    "The released tiny.en, from its CTranslate2 folder",
    .enabled(if: ReleasedModels.folder("tiny.en") != nil, Comment(rawValue: ReleasedModels.absence)))
struct ReleasedSpeechTests {
    private static func model() throws -> LoadedModel {
        let folder = try TemporaryFolder()
        let service = ModelService(registry: ModelRegistry(folder: folder("models")), logger: Logger(label: "test"))
        return try service.open(ReleasedModels.folder("tiny.en") ?? "")
    }

    @Test("it is what its configuration says, and its digest is that of its weights")
    func model() throws {
        let model = try Self.model()
        #expect(model.checkpoint.format == .cTranslate2)
        #expect(model.dimensions.nAudioState == 384 && model.dimensions.nVocab == 51864)
        #expect(model.checkpoint.generation.alignmentHeads?.count == 8)
        #expect(model.checkpoint.generation.beginSuppressTokens == [220, 50256])
        #expect(try model.tokenizer().isMultilingual == false)
        #expect(try model.digest() == "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a")
    }

    @Test("people's speech and synthetic speech are written down in the reference's tokens, times and words")
    func transcripts() throws {
        let transcriber = try Self.model().transcriber()
        var options = TranscribeOptions()
        (options.temperatures, options.wordTimestamps) = ([0], true)
        let expected = try Expected.load()
        #expect(expected.count == 10)
        for recording in expected {
            let isFixture = recording.file.hasPrefix("lj-")
            let path =
                isFixture
                ? Fixtures.path("released/\(recording.file)") : Fixtures.path("../../models/demo/\(recording.file)")
            let mel = try RecordingMel(SampleBuffer.read(.file(path)), bands: transcriber.model.dimensions.nMels)
            let result = try transcriber.transcribe(mel, options: options)
            #expect(result.text == recording.text, "\(recording.file)")
            #expect(result.segments.map(\.tokens) == recording.segments.map(\.tokens), "\(recording.file)")
            for (segment, wanted) in zip(result.segments, recording.segments) {
                #expect(abs(segment.start - wanted.start) < 1e-3 && abs(segment.end - wanted.end) < 1e-3)
                let words = segment.words ?? []
                #expect(words.map(\.word) == wanted.words.map(\.text), "\(recording.file)")
                for (word, wanted) in zip(words, wanted.words) {
                    // A frame, where the two orders of summation decide between neighbours.
                    #expect(abs(word.start - wanted.start) < 0.021 && abs(word.end - wanted.end) < 0.021, "\(word)")
                }
            }
        }
    }
}
