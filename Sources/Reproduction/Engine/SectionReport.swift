import Foundation
import Messages
import Results
import StrictJSON

/// What came of one section.
package struct SectionReport: Sendable {
    package let section: Section
    package var verdict = Verdict.cannotBeSaid("it was not run")
    var outcomes: [Outcome] = []
    var findings = Findings()
    package var parts: [PartReport] = []
    /// The sounds that could be had, by what was asked for.
    package var sounds: [SoundRequest: SoundFile] = [:]
    /// What went wrong, where something did.
    package var failure: (any Error)?
    /// Seconds that this call took for it.
    package var seconds = 0.0

    /// The findings' own figures as results.
    package var own: RunResults {
        findings.results.run(id: "reproduce.\(section.id)", name: section.title, description: section.method)
    }

    /// The results that an exhibit shows.
    package func results(_ exhibit: Exhibit) -> [Result<TypedResult, ResultError>] {
        let run = exhibit.part == Exhibit.findings ? own : parts.first { $0.id == exhibit.part }?.run
        return (run ?? RunResults()).typed(of: exhibit.output)
    }
}

/// What was run for a part.
package struct PartReport: Sendable {
    package let id: String
    /// The plugin's id and version, or "transcripts".
    package var what: String
    package var arguments: [(key: String, value: String)] = []
    /// Seconds that the work took when it was done.
    package var seconds = 0.0
    /// Whether its results lay in the folder already.
    var isKept = false
    /// What a plugin gave; nil for transcripts.
    package var run: RunResults?
    /// Where its files are, below the folder; empty for none.
    package var folder = ""
}

/// A sound in a file beside the page.
package struct SoundFile: Sendable {
    /// Below the folder.
    package let path: String
    package let bytes: [UInt8]
}

extension SectionReport {
    /// Everything that was measured, for programs.
    package var json: JSON {
        [
            "id": .string(section.id), "title": .string(section.title), "claim": .string(section.claim),
            "method": .string(section.method), "verdict": .string(verdict.name), "reason": JSON(verdict.reason),
            "failure": JSON(failure.map { "\($0)" }), "finding": .string(findings.sentence),
            "notes": JSON(findings.notes), "criteria": .array(outcomes.map(\.json)),
            "measures": .array(findings.measures.map(\.json)), "parts": .array(parts.map(\.json)),
            "sounds": JSON(sounds.values.map(\.path).sorted()), "seconds": .number(seconds),
        ]
    }
}

extension PartReport {
    package var json: JSON {
        [
            "id": .string(id), "what": .string(what),
            "arguments": .object(arguments.map { ($0.key, .string($0.value)) }), "seconds": .number(seconds),
            "kept": .bool(isKept), "folder": JSON(present: folder),
        ]
    }
}

extension Measure {
    package var json: JSON {
        [
            "id": .string(id), "value": JSON(value), "count": .integer(count), "of": JSON(present: things),
            "missing": JSON(missing),
        ]
    }
}

extension Outcome {
    package var json: JSON {
        [
            "measure": .string(criterion.measure), "question": .string(criterion.question),
            "value": JSON(measure?.value), "count": .integer(measure?.count ?? 0),
            "of": JSON(present: measure?.things ?? ""),
            "direction": .string(criterion.direction == .atLeast ? "at_least" : "at_most"),
            "holds": .number(criterion.holds), "partly": .number(criterion.partly), "least": .integer(criterion.least),
            "because": .string(criterion.reason), "required": .bool(criterion.isRequired),
            "verdict": .string(verdict.name), "reason": JSON(verdict.reason),
        ]
    }
}

extension JSON {
    /// A string, or null for none.
    fileprivate init(_ text: String?) { self = text.map(JSON.string) ?? .null }
}
