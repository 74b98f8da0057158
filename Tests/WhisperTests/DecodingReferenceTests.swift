import Foundation
import Kernels
import Testing
import Whisper

/// The tiny model's transcripts, and openai-whisper's.
@Suite struct DecodingReferenceTests {
    @Test func `Every language is as probable as in the reference`() throws {
        let fixture = try DecodingFixture.load()
        let transcriber = try fixture.transcriber()
        for clip in fixture.languages {
            let found = try transcriber.detectLanguage(clip.mel.tensor)
            #expect(found.map(\.language) == ["en", "fr"])
            for language in found {
                let expected = try #require(clip.probabilities[language.language])
                #expect(abs(language.probability - expected) < 1e-5)
            }
        }
    }

    @Test(arguments: try DecodingFixture.load().decode.map { "\($0.name), clip \($0.clip)" })
    func `A window decodes to the reference's tokens`(name: String) throws {
        let fixture = try DecodingFixture.load()
        let transcriber = try fixture.transcriber()
        let example = try #require(fixture.decode.first { "\($0.name), clip \($0.clip)" == name })
        var options = example.options.transcribe.decoding
        if example.name != "detected language" { options.language = options.language ?? "en" }
        let result = try transcriber.decode(fixture.languages[example.clip].mel.tensor, options: options)
        #expect(result.tokens == example.result.tokens)
        #expect(result.text == example.result.text)
        #expect(result.language == example.result.language)
        #expect(abs(result.avgLogprob - example.result.avgLogprob) < 1e-4)
        #expect(abs((result.noSpeechProb ?? .nan) - example.result.noSpeechProb) < 1e-5)
        // The fixture keeps six decimals.
        #expect(abs(result.compressionRatio - example.result.compressionRatio) < 1e-6)
    }

    @Test(arguments: try DecodingFixture.load().transcribe.map { "\($0.name), recording \($0.recording)" })
    func `A recording of many windows is written down as the reference does`(name: String) throws {
        let fixture = try DecodingFixture.load()
        let transcriber = try fixture.transcriber()
        let example = try #require(fixture.transcribe.first { "\($0.name), recording \($0.recording)" == name })
        let mel = MelInMemory(mel: try fixture.recordings[example.recording].tensor)
        let result = try transcriber.transcribe(mel, options: example.options.transcribe)
        #expect(result.text == example.result.text)
        #expect(result.language == example.result.language)
        #expect(result.segments.map(\.tokens) == example.result.segments.map(\.tokens))
        for (segment, expected) in zip(result.segments, example.result.segments) {
            #expect(segment.id == expected.id && segment.seek == expected.seek && segment.text == expected.text)
            #expect(abs(segment.start - expected.start) < 1e-6 && abs(segment.end - expected.end) < 1e-6)
            #expect(abs(segment.avgLogprob - expected.avgLogprob) < 1e-4)
            #expect(abs(segment.compressionRatio - expected.compressionRatio) < 1e-6)
            let words = segment.words ?? [], expectedWords = expected.words ?? []
            #expect(words.map(\.word) == expectedWords.map(\.word))
            for (word, expected) in zip(words, expectedWords) {
                #expect(abs(word.start - expected.start) < 1e-6 && abs(word.end - expected.end) < 1e-6)
                #expect(abs(word.probability - expected.probability) < 1e-4)
            }
        }
    }
}
