import Foundation
import Messages
import Pages
import Results
import StrictJSON

/// A reproduction as one page to read and to listen to: everything that it needs is in it.
///
/// Built of the modules of the page of results. What recordings and plugins say reaches it as JSON, and from there as text.
enum ReproductionPage {
    /// Once so many bytes of sound are in the page, further ones are left to the files beside it.
    static let mostSound = 60_000_000

    /// - Throws: ``Pages/PageError`` where the page's own files do not fit together.
    static func html(_ whole: WholeReport) throws -> String {
        try SinglePage.html("reproduction", blocks: [("colours", ResultsPage.colours), ("results", data(whole))])
    }

    private static func data(_ whole: WholeReport) -> JSON {
        var sounds: [String: JSON] = [:]
        var room = mostSound
        for file in whole.reports.flatMap(\.sounds.values) where sounds[file.path] == nil {
            let size = file.bytes.count * 4 / 3
            guard size <= room else { continue }
            room -= size
            sounds[file.path] = .string("data:audio/flac;base64," + Data(file.bytes).base64EncodedString())
        }
        return .object(
            whole.head.map { ($0.0, PagePaths.without(folders: $0.1)) } + [
                ("sections", .array(whole.reports.map { PagePaths.without(folders: section($0)) })),
                ("sounds", .object(sounds.sorted { $0.key < $1.key })),
            ])
    }

    private static func section(_ report: SectionReport) -> JSON {
        guard case .object(let members) = report.json else { return .null }
        return .object(
            members + [
                ("exhibits", .array(report.section.exhibits.compactMap { exhibit($0, report) })),
                ("listening", .array(report.findings.listening.map { $0.json(report.sounds) })),
            ])
    }

    /// Nil where there is nothing to show.
    private static func exhibit(_ exhibit: Exhibit, _ report: SectionReport) -> JSON? {
        let packed = ResultsJSON(numbers: .packed(most: ResultsPage.mostValues / 10))
        var results: [JSON] = []
        var problems: [JSON] = []
        var output: JSON?
        for result in report.results(exhibit) {
            switch result {
            case .success(let result):
                output = output ?? ResultsJSON.json(result.output)
                results.append(packed.json(result))
            case .failure(let error): problems.append(.string(error.description))
            }
        }
        guard output != nil || !problems.isEmpty else { return nil }
        return [
            "caption": .string(exhibit.caption), "folded": .bool(exhibit.isFolded), "output": output ?? .null,
            "results": .array(results), "problems": .array(problems),
        ]
    }
}

extension Listening {
    fileprivate func json(_ sounds: [SoundRequest: SoundFile]) -> JSON {
        func sound(_ request: SoundRequest) -> JSON { sounds[request].map { .string($0.path) } ?? .null }
        switch self {
        case .recording(let card):
            return [
                "kind": "recording", "title": .string(card.title), "sound": sound(card.sound),
                "words": .array(
                    card.words.map {
                        ["text": .string($0.text), "start": .number($0.start), "end": .number($0.end)]
                    }),
                "spans": .array(card.spans.map { [.number($0.lowerBound), .number($0.upperBound)] }),
                "texts": .array(
                    card.texts.map { text in
                        [
                            "name": .string(text.name), "note": .string(text.note),
                            "words": Self.json(text.words),
                        ]
                    }),
            ]
        case .table(let table):
            return [
                "kind": "table", "title": .string(table.title), "columns": JSON(table.columns),
                "rows": .array(
                    table.rows.map { row in
                        .array(
                            row.map { cell in
                                switch cell {
                                case .text(let text): .string(text)
                                case .number(let number): .number(number)
                                case .texts(let texts): ["texts": .array(texts.map(Self.json))]
                                case .sounds(let moments):
                                    .array(
                                        moments.map { ["label": .string($0.label), "sound": sound($0.sound)] })
                                }
                            })
                    }),
            ]
        }
    }

    private static func json(_ words: [WordChange]) -> JSON {
        .array(words.map { [.string($0.kind.rawValue), .string($0.word)] })
    }
}
