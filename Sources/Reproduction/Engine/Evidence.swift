import Client
import Foundation
import Messages
import Results

/// What a section may know before anything of its own was run.
struct Situation: Sendable {
    let samples: SampleList
    let model: V1.ModelInfo
    let options: ReproductionOptions
    /// How a sample is written down; nil where it cannot be.
    let plain: @Sendable (Sample) async throws -> WrittenText?
    /// A text as the model's tokens.
    let tokenize: @Sendable (String) async throws -> [V1.Token]
    /// The section's folder, absolute, for files that one part leaves to another.
    let folder: String
    /// The samples that are written down.
    var spoken: [Sample] { samples.spoken(most: options.recordings) { model.knows($0.item.language ?? "") } }
    /// Those in which something is said that the model cannot write down.
    var foreign: [Sample] { samples.foreign(to: model) }

    /// What is said in the samples, and in which language: known texts, or where there are none, how the model writes
    /// the samples down.
    func texts() async throws -> (texts: [SaidText], areKnown: Bool) {
        let known = samples.samples.compactMap { sample in
            sample.text.map { SaidText(text: $0, language: sample.item.language ?? "") }
        }
        if !known.isEmpty { return (known, true) }
        var texts: [SaidText] = []
        for sample in spoken {
            if let plain = try await plain(sample), !plain.text.isEmpty {
                texts.append(SaidText(text: plain.text, language: plain.language))
            }
        }
        return (texts, false)
    }
}

struct SaidText: Sendable {
    let text: String
    /// A code; empty where it is not known.
    let language: String
}

/// What is the same for all sections.
package struct ReproductionOptions: Sendable {
    /// Recordings to transcribe under each condition, at most.
    package var recordings = 40
    /// Steps of training a dictionary.
    package var steps = 1000
    package var seed: UInt64 = 0

    package init(recordings: Int = 40, steps: Int = 1000, seed: UInt64 = 0) {
        self.recordings = recordings
        self.steps = steps
        self.seed = seed
    }
}

/// What a section's parts gave.
struct Evidence: Sendable {
    let situation: Situation
    var results: [String: RunResults] = [:]
    var transcriptions: [String: [ChangedTranscript]] = [:]
    /// Why a part was not run, for those that were not.
    var unsuitable: [String: String] = [:]

    var samples: SampleList { situation.samples }

    /// The results of an output, decoded; none where there are none.
    /// - Throws: ``ResultError`` for results that are not as their plugin declares them.
    func typed(_ part: String, _ output: String) throws -> [TypedResult] {
        try results[part]?.typed(of: output).map { try $0.get() } ?? []
    }

    /// The tables of an output under each other.
    /// - Throws: ``Unsuitable`` where there is none.
    func table(_ part: String, _ output: String) throws -> TableReader {
        let tables = try typed(part, output).compactMap { result -> V1.PluginTable? in
            if case .table(let table) = result.value { table } else { nil }
        }
        guard let first = tables.first else {
            if let reason = unsuitable[part] { throw Unsuitable(reason) }
            throw Unsuitable("the part '\(part)' gave no table '\(output)'")
        }
        return TableReader(
            columns: first.columns,
            rows: tables.filter { $0.columns == first.columns }.flatMap(\.rows).map(\.cells))
    }
}

/// A table whose cells are found by the names of its columns.
struct TableReader: Sendable {
    let columns: [String]
    let rows: [[V1.PluginCell]]
    private let places: [String: Int]

    init(columns: [String], rows: [[V1.PluginCell]]) {
        self.columns = columns
        self.rows = rows
        places = Dictionary(columns.enumerated().map { ($1, $0) }) { first, _ in first }
    }

    /// A number; NaN for no value, and for text that is none.
    func number(_ row: [V1.PluginCell], _ column: String) -> Double {
        if case .number(let number)? = cell(row, column) { number } else { .nan }
    }

    /// A whole number; nil for what is none.
    func integer(_ row: [V1.PluginCell], _ column: String) -> Int? { Int(exactly: number(row, column)) }

    /// A text; empty for no value.
    func text(_ row: [V1.PluginCell], _ column: String) -> String {
        switch cell(row, column) {
        case .text(let text)?: text
        case .number(let number)?: Digits.short(number)
        case nil: ""
        }
    }

    private func cell(_ row: [V1.PluginCell], _ column: String) -> V1.PluginCell.Value? {
        guard let place = places[column], place < row.count else { return nil }
        return row[place].value
    }
}

extension Double {
    /// As a share of a hundred: `40 %`, with a blank that does not break.
    package var percent: String { isFinite ? "\(Digits.short((self * 1000).rounded() / 10))\u{A0}%" : "–" }
}
