import Commands
import Foundation
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
        var untimed = example.transcription.segments
        for index in untimed.indices { untimed[index].words = nil }
        #expect(untimed.map { $0.line(timestamps: false) }.joined() == example.txt)
        #expect(Subtitles.srt(example.transcription) == example.srt)
        #expect(Subtitles.vtt(example.transcription) == example.vtt)
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
