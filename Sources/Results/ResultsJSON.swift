import Audio
import Foundation
import Messages
import StrictJSON

/// Results as JSON; RESULTS.md has the schema.
package struct ResultsJSON {
    /// How numbers of arrays are written.
    package enum Numbers {
        /// As lists, a list for each row of a matrix.
        case lists
        /// As base64 of little-endian float32, for the page; larger matrices as means of neighbours.
        case packed(most: Int)
    }

    package static let format = "auscult-results/1"
    package let numbers: Numbers

    package init() { numbers = .lists }
    package init(numbers: Numbers) { self.numbers = numbers }

    /// Hands over one document, a result at a time, without the last line's end.
    package func write(_ run: RunResults, _ take: (String) throws -> Void) rethrows {
        func member(_ name: String, _ value: String) -> String { "  \(JSON.string(name).text): \(value)" }
        try take("{\n")
        for (name, value) in Self.head(run) { try take(member(name, value.text(indent: 1)) + ",\n") }
        try take(member("results", "["))
        var problems: [JSON] = []
        var isFirst = true
        for result in run.typed() {
            switch result {
            case .success(let result):
                try take((isFirst ? "\n    " : ",\n    ") + json(result).text(indent: 2))
                isFirst = false
            case .failure(let error): problems.append(.string(error.description))
            }
        }
        try take(isFirst ? "],\n" : "\n  ],\n")
        try take(member("problems", JSON.array(problems).text(indent: 1)) + "\n}")
    }

    /// All of it.
    package func text(_ run: RunResults) -> String {
        var out = ""
        write(run) { out += $0 }
        return out
    }

    /// What is said of the run as a whole.
    package static func head(_ run: RunResults) -> [(String, JSON)] {
        let listing = run.description.listing ?? .init()
        return [
            ("format", .string(format)),
            (
                "plugin",
                [
                    "id": .string(listing.id), "name": .string(listing.name), "version": .string(listing.version),
                    "vendor": .string(listing.vendor), "licence": .string(listing.licence),
                    "description": .string(run.description.description),
                ]
            ),
            ("provenance", run.provenance?.json ?? .null),
            ("run", run.end.map(json) ?? .null),
            ("outputs", .array(run.description.outputs.map(json))),
            (
                "skipped",
                .array(run.skipped.map { ["file": .string($0.file), "reason": .string($0.reason)] })
            ),
            (
                "notices",
                .array(
                    run.notices.map {
                        [
                            "file": .string($0.file), "code": .string($0.notice?.code ?? ""),
                            "text": .string($0.notice?.text ?? ""),
                        ]
                    })
            ),
        ]
    }

    package static func json(_ output: V1.PluginOutput) -> JSON {
        [
            "id": .string(output.id), "title": .string(output.title), "unit": JSON(present: output.unit),
            "kind": .string(output.kind.name), "plot": .string(output.plot.shortName),
            "axes": .array(
                output.axes.map { axis in
                    [
                        "name": .string(axis.name), "unit": JSON(present: axis.unit),
                        "labels": axis.labels.isEmpty ? .null : JSON(axis.labels),
                        "first": .number(axis.first), "step": .number(axis.step),
                    ]
                }),
            "description": .string(output.description),
        ]
    }

    private static func json(_ end: V1.PluginEnd) -> JSON {
        [
            "recordings": JSON(end.recordings), "results": JSON(end.results), "skipped": JSON(end.skipped),
            "model": .string(end.model), "model_sha256": JSON(present: end.modelSha256),
            "precision": .string(end.precision.name), "seed": JSON(end.seed),
            "seconds": .number(end.seconds), "engine_seconds": .number(end.engineSeconds),
            "plugin_seconds": .number(end.pluginSeconds),
        ]
    }

    package func json(_ result: TypedResult) -> JSON {
        .object(Self.identity(result) + value(result.value))
    }

    /// Which result it is, without its value.
    static func identity(_ result: TypedResult) -> [(String, JSON)] {
        [
            ("output", .string(result.output.id)), ("file", JSON(present: result.file)),
            ("kind", .string(result.output.kind.name)), ("plot", .string(result.plot.shortName)),
        ]
    }

    private func value(_ value: TypedResult.Value) -> [(String, JSON)] {
        switch value {
        case .scalar(let number): [("value", .number(number))]
        case .vector(let array), .matrix(let array): self.array(array)
        case .table(let table):
            [
                ("columns", JSON(table.columns)),
                ("rows", .array(table.rows.map { row in .array(row.cells.map { Self.json($0) }) })),
            ]
        case .events(let events): [("events", .array(events.map(Self.json)))]
        case .audio(let clip): audio(clip)
        case .text(let text): [("text", .string(text))]
        }
    }

    private static func json(_ cell: V1.PluginCell) -> JSON {
        switch cell.value {
        case .number(let number)?: .number(number)
        case .text(let text)?: .string(text)
        case nil: .null
        }
    }

    private static func json(_ event: V1.PluginTimedEvent) -> JSON {
        [
            "start": .number(event.start), "end": .number(event.end), "label": .string(event.label),
            "value": .number(event.value),
        ]
    }

    private func audio(_ clip: AudioClip) -> [(String, JSON)] {
        let members: [(String, JSON)] = [("sample_rate", .integer(clip.rate)), ("seconds", .number(clip.seconds))]
        var format = SoundFileFormat.wavFloat
        if case .packed = numbers {
            // Every browser plays it, and it is half the size.
            format = .wav16
        }
        let file = try? SoundFileWriter.bytes(clip.samples, sampleRate: clip.rate, as: format, name: "the clip")
        return members + [("wav", file.map { .string(Data($0).base64EncodedString()) } ?? .null)]
    }
}
