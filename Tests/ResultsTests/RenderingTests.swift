import Results
import Foundation
import Messages
import StrictJSON
import Testing
import Whisper

@Suite("Rendering") struct RenderingTests {
    struct Case: Decodable, CustomTestStringConvertible {
        let name: String
        let transcription: Transcription
        let txt: String
        let srt: String
        let vtt: String
        var testDescription: String { name }

        /// The segments as the daemon sends them.
        var segments: [V1.Segment] {
            transcription.segments.map { segment in
                let words = (segment.words ?? []).map {
                    V1.Word(word: $0.word, start: $0.start, end: $0.end, probability: $0.probability)
                }
                return V1.Segment(
                    start: segment.start, end: segment.end, text: segment.text, words: words,
                    hasWords: segment.words != nil)
            }
        }
    }

    static let examples: [Case] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/commands/subtitles.json")
        return (try? JSONDecoder().decode([Case].self, from: Data(contentsOf: file))) ?? []
    }()

    @Test("there are cases to compare with") func present() { #expect(Self.examples.count == 6) }

    @Test("text, srt and vtt are those of openai/whisper's writers", arguments: examples)
    func writers(example: Case) {
        // With words the text form is our own: each follows its segment on a line.
        var untimed = example.segments
        for index in untimed.indices { untimed[index].words = [] }
        #expect(untimed.map { $0.line(timestamps: false) }.joined() == example.txt)
        #expect(Subtitles.srt(example.segments) == example.srt)
        #expect(Subtitles.vtt(example.segments) == example.vtt)
    }

    @Test("JSON escapes what it must, keeps the order of members, and has no NaN")
    func json() throws {
        let hostile = "\"\\\n\r\t\u{0}\u{1F}\u{7F}\u{2028} é 👩‍👩‍👧"
        let value: JSON = [
            "z": .string(hostile),
            "a": .array([.integer(-1), .number(0.1), .number(.nan), .number(-.infinity), .null]),
            "m": [["k": .bool(true)], [:]], "e": [],
        ]
        let parsed = try #require(JSONSerialization.jsonObject(with: Data(value.text.utf8)) as? [String: Any])
        #expect(parsed["z"] as? String == hostile)
        #expect((parsed["a"] as? [Any])?.count == 5)
        let order = ["\"z\"", "\"a\"", "\"m\"", "\"e\""].compactMap { value.text.range(of: $0)?.lowerBound }
        #expect(order.count == 4 && order == order.sorted())
    }
}
