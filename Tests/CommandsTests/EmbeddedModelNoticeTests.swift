@testable import Commands
import Messages
import Testing

@Suite("What is said of a text that the embedded model cannot know") struct EmbeddedModelNoticeTests {
    private func transcript(_ file: String = "talk.mp3", _ change: (inout V1.Segment) -> Void = { _ in })
        -> V1.Transcript
    {
        var segment = V1.Segment()
        (segment.tokens, segment.avgLogprob, segment.compressionRatio) = ([1, 2, 3], -0.3, 0.9)
        change(&segment)
        return V1.Transcript(file: file, segments: [segment])
    }

    private func sentence(_ transcript: V1.Transcript, _ model: String? = nil) -> String? {
        EmbeddedModelNotice.sentence(about: transcript, model: model)
    }

    @Test("improbable words, repetition and draws are told, with the ways to a released model")
    func unfamiliar() throws {
        let improbable = try #require(sentence(transcript { $0.avgLogprob = -2.5 }))
        for part in ["talk.mp3", "8 %", "models pull tiny.en", "models add", "make released", "--model tiny.en"] {
            #expect(improbable.contains(part), "\(improbable)")
        }
        #expect(sentence(transcript { $0.compressionRatio = 3 })?.contains("repeats itself") == true)
        #expect(sentence(transcript { $0.temperature = 0.2 })?.contains("at random") == true)
        #expect(sentence(transcript { $0.avgLogprob = -2.5 }, "default") != nil)
    }

    @Test("what it knows, its own clips, silence and other models are no matter")
    func familiar() {
        #expect(sentence(transcript()) == nil)
        #expect(sentence(transcript("demo:en-us-04") { $0.avgLogprob = -2.5 }) == nil)
        #expect(sentence(transcript { $0.tokens = [] }) == nil)
        #expect(sentence(V1.Transcript(file: "talk.mp3")) == nil)
        #expect(sentence(transcript { $0.avgLogprob = -2.5 }, "tiny.en") == nil)
    }

    @Test("long texts count more than short ones")
    func weights() {
        var mixed = transcript { $0.avgLogprob = -2 }
        mixed.segments.append(
            transcript { ($0.tokens, $0.avgLogprob) = (Array(repeating: 1, count: 60), -0.2) }.segments[0])
        #expect(sentence(mixed) == nil)
    }
}
