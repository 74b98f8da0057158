import DataSets
import Messages
import Results

@testable import Client
@testable import Reproduction

/// Evidence whose numbers are known.
enum PlantedEvidence {
    static func sample(_ name: String, _ edit: (inout DataSetItem) -> Void = { _ in }) -> Sample {
        var item = DataSetItem(name: name, source: .clip(name))
        edit(&item)
        return Sample(name: name, item: item, digest: name)
    }

    /// Samples whose sounds are known.
    static func spoken(_ count: Int) -> [Sample] {
        (0..<count).map { number in
            sample("s\(number)") { $0.phonemes = [TimedLabel(start: 0, end: 1, label: "s")] }
        }
    }

    static func evidence(
        _ samples: [Sample], languages: [String] = ["en"], tokenize: @escaping @Sendable (String) -> Int32 = { _ in 0 }
    ) -> Evidence {
        Evidence(
            situation: Situation(
                samples: SampleList(samples: samples, single: [], dataSets: [], problems: [], digest: ""),
                model: V1.ModelInfo(languages: languages), options: ReproductionOptions(), plain: { _ in nil },
                tokenize: { [V1.Token(id: tokenize($0))] }, folder: "/"))
    }

    /// A part's results, from tables whose cells are numbers and texts.
    static func run(_ tables: [(id: String, columns: [String], rows: [[ComputedResults.Cell?]])]) -> RunResults {
        var results = ComputedResults()
        for table in tables { results.table(table.id, table.id, columns: table.columns, rows: table.rows) }
        return results.run(id: "planted", name: "Planted", description: "")
    }

    /// A part's tables of one output, each about a recording.
    static func run(
        _ output: String, of recordings: [(name: String, rows: [[ComputedResults.Cell?]])], columns: [String]
    ) throws -> RunResults {
        var all = RunResults()
        for recording in recordings {
            let one = run([(output, columns, recording.rows)])
            all.description = one.description
            try one.results.forEach { result in
                var result = result
                result.file = recording.name
                try all.results.append(result)
            }
        }
        return all
    }

    static func transcription(
        _ sample: Sample, _ condition: Condition, _ before: String, _ after: String, seconds: Double = 3
    ) -> ChangedTranscript {
        ChangedTranscript(
            sample: sample, plain: WrittenText(text: before, language: "en", seconds: seconds), condition: condition,
            changed: WrittenText(text: after, language: "en", seconds: seconds))
    }
}

extension Findings {
    func value(_ id: String) -> Double? { measures.first { $0.id == id }?.value }
    func count(_ id: String) -> Int? { measures.first { $0.id == id }?.count }
}
