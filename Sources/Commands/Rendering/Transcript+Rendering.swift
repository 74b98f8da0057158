import Daemon
import Foundation
import Whisper

/// The forms of a transcript.
enum TranscriptFormat: String, CaseIterable {
    case text, json, srt, vtt

    /// The ending of a file in this form.
    var ending: String { self == .text ? "txt" : rawValue }
}

extension Transcript {
    /// The whole text on one line.
    var oneLine: String {
        transcription.text.split(whereSeparator: \.isNewline).joined(separator: " ")
            .trimmingCharacters(in: .whitespaces)
    }

    var json: JSON {
        [
            "file": .string(file), "language": .string(transcription.language), "text": .string(transcription.text),
            "duration": .number(duration), "seed": .integer(Int(truncatingIfNeeded: seed)),
            "segments": .array(transcription.segments.map(\.json)),
        ]
    }
}

extension Segment {
    /// The text on a line, as openai/whisper's text writer has it; with `timestamps`, its time before it. Where the
    /// words were timed, they follow, a line each.
    package func line(timestamps: Bool) -> String {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let words = (words ?? []).map { word in
            "    [\(timestamp(word.start)) --> \(timestamp(word.end))]  \(word.word.trimmingCharacters(in: .whitespaces))\n"
        }
        return (timestamps ? "[\(timestamp(start)) --> \(timestamp(end))]  " : "") + text + "\n" + words.joined()
    }

    fileprivate var json: JSON {
        var members: [(String, JSON)] = [
            ("id", .integer(id)), ("start", .number(start)), ("end", .number(end)), ("text", .string(text)),
            ("tokens", JSON(tokens)), ("temperature", .number(temperature)), ("avg_logprob", .number(avgLogprob)),
            ("compression_ratio", .number(compressionRatio)), ("no_speech_prob", JSON(noSpeechProb)),
        ]
        if let words { members.append(("words", .array(words.map(\.json)))) }
        return .object(members)
    }
}

extension Word {
    fileprivate var json: JSON {
        ["word": .string(word), "start": .number(start), "end": .number(end), "probability": .number(probability)]
    }
}
