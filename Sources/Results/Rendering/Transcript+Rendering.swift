import Foundation
import Messages
import StrictJSON

/// The forms of a transcript.
package enum TranscriptFormat: String, CaseIterable {
    case text, json, srt, vtt

    /// The ending of a file in this form.
    package var ending: String { self == .text ? "txt" : rawValue }
}

extension V1.Transcript {
    /// The whole text on one line.
    package var oneLine: String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ").trimmingCharacters(in: .whitespaces)
    }

    /// The transcript as a file, or the result of one recording, has it.
    package func text(_ format: TranscriptFormat, timestamps: Bool) -> String {
        switch format {
        case .text: segments.map { $0.line(timestamps: timestamps) }.joined()
        case .json: json.text + "\n"
        case .srt: Subtitles.srt(segments)
        case .vtt: Subtitles.vtt(segments)
        }
    }

    package var json: JSON {
        [
            "file": .string(file), "language": .string(language), "text": .string(text),
            "duration": .number(duration), "seed": JSON(seed), "precision": .string(precision.name),
            "padding": padding == .paddingUnspecified ? .null : .string(padding.name),
            "notices": .array(notices.map(\.json)), "segments": .array(segments.map(\.json)),
        ]
    }
}

extension V1.Segment {
    /// The text on a line, as openai/whisper's text writer has it; with `timestamps`, its time before it. Where the
    /// words were timed, they follow, a line each.
    package func line(timestamps: Bool) -> String {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let words = words.map { word in
            "    [\(timestamp(word.start)) --> \(timestamp(word.end))]  \(word.word.trimmingCharacters(in: .whitespaces))\n"
        }
        return (timestamps ? "[\(timestamp(start)) --> \(timestamp(end))]  " : "") + text + "\n" + words.joined()
    }

    package var json: JSON {
        var members: [(String, JSON)] = [
            ("id", .integer(Int(id))), ("start", .number(start)), ("end", .number(end)), ("text", .string(text)),
            ("tokens", JSON(tokens)), ("temperature", .number(temperature)), ("avg_logprob", .number(avgLogprob)),
            ("compression_ratio", .number(compressionRatio)), ("no_speech_prob", JSON(noSpeechProb)),
        ]
        if hasWords { members.append(("words", .array(words.map(\.json)))) }
        return .object(members)
    }
}

extension V1.Notice {
    var json: JSON { ["code": .string(code), "text": .string(text)] }
}

extension V1.Word {
    fileprivate var json: JSON {
        ["word": .string(word), "start": .number(start), "end": .number(end), "probability": .number(probability)]
    }
}
