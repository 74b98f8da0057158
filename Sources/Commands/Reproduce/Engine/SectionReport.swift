import Foundation
import Messages
import StrictJSON

/// What came of one section.
struct SectionReport: Sendable {
    let section: Section
    var verdict = Verdict.cannotBeSaid("it was not run")
    var outcomes: [Outcome] = []
    var findings = Findings()
    var parts: [PartReport] = []
    /// The sounds that could be had, by what was asked for.
    var sounds: [SoundRequest: SoundFile] = [:]
    /// What went wrong, where something did.
    var failure: (any Error)?
    /// Seconds that this call took for it.
    var seconds = 0.0

    /// The findings' own figures as results.
    var own: RunResults {
        findings.results.run(id: "reproduce.\(section.id)", name: section.title, description: section.method)
    }

    /// The results that an exhibit shows.
    func results(_ exhibit: Exhibit) -> [Result<TypedResult, ResultError>] {
        let run = exhibit.part == Exhibit.findings ? own : parts.first { $0.id == exhibit.part }?.run
        return (run?.typed() ?? []).filter { result in
            switch result {
            case .success(let result): result.output.id == exhibit.output
            case .failure(let error): error.output == exhibit.output
            }
        }
    }
}

/// What was run for a part.
struct PartReport: Sendable {
    let id: String
    /// The plugin's id and version, or "transcripts".
    var what: String
    var arguments: [(key: String, value: String)] = []
    /// Seconds that the work took when it was done.
    var seconds = 0.0
    /// Whether its results lay in the folder already.
    var isKept = false
    /// What a plugin gave; nil for transcripts.
    var run: RunResults?
    /// Where its files are, below the folder; empty for none.
    var folder = ""
}

/// A sound in a file beside the page.
struct SoundFile: Sendable {
    /// Below the folder.
    let path: String
    let bytes: [UInt8]
}

extension SectionReport {
    /// Everything that was measured, for programs.
    var json: JSON {
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
    var json: JSON {
        [
            "id": .string(id), "what": .string(what),
            "arguments": .object(arguments.map { ($0.key, .string($0.value)) }), "seconds": .number(seconds),
            "kept": .bool(isKept), "folder": JSON(present: folder),
        ]
    }
}

extension Measure {
    var json: JSON {
        [
            "id": .string(id), "value": JSON(value), "count": .integer(count), "of": JSON(present: things),
            "missing": JSON(missing),
        ]
    }
}

extension Outcome {
    var json: JSON {
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
