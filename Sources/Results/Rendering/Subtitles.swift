import Foundation
import Messages

/// Subtitles as openai/whisper's writers lay them out.
package enum Subtitles {
    /// Text and when it is shown, in seconds.
    private struct Cue {
        let start: Double
        let end: Double
        let text: String
    }

    /// SubRip: numbered, hours always, a comma before the milliseconds.
    package static func srt(_ segments: [V1.Segment]) -> String {
        cues(segments).enumerated().map { index, cue in
            let start = timestamp(cue.start, alwaysHours: true, decimalMark: ",")
            let end = timestamp(cue.end, alwaysHours: true, decimalMark: ",")
            return "\(index + 1)\n\(start) --> \(end)\n\(cue.text)\n\n"
        }.joined()
    }

    /// WebVTT.
    package static func vtt(_ segments: [V1.Segment]) -> String {
        "WEBVTT\n\n"
            + cues(segments).map { "\(timestamp($0.start)) --> \(timestamp($0.end))\n\($0.text)\n\n" }.joined()
    }

    /// One cue a segment. With word timestamps it lasts from its first word to its last, and a segment without words
    /// has none.
    private static func cues(_ segments: [V1.Segment]) -> [Cue] {
        guard segments.first?.hasWords == true else {
            return segments.map { segment in
                // An arrow in the text would read as a time range.
                let text = segment.text.trimmingCharacters(in: .whitespacesAndNewlines)
                return Cue(
                    start: segment.start, end: segment.end, text: text.replacingOccurrences(of: "-->", with: "->"))
            }
        }
        return segments.compactMap { segment in
            guard let first = segment.words.first, let last = segment.words.last else { return nil }
            let text = lines(segment.words.map(\.word))
            return Cue(start: first.start, end: last.end, text: text)
        }
    }

    /// The words of one cue; a line that a further word would make longer than 1000 characters ends before it.
    private static func lines(_ words: [String]) -> String {
        var text = ""
        var length = 0
        for word in words {
            let count = word.unicodeScalars.count
            if length > 0, length + count <= 1000 {
                text += word
                length += count
            } else {
                let stripped = word.trimmingCharacters(in: .whitespacesAndNewlines)
                text += length > 0 ? "\n" + stripped : stripped
                length = stripped.unicodeScalars.count
            }
        }
        return text
    }
}
