import Foundation
import Messages
import Reproduction
import Results
import StrictJSON
import TerminalText

/// What precisions cost: the error at each hook point, and what becomes of transcripts.
struct PrecisionReport {
    /// One hook point over all recordings.
    struct HookLine {
        let hook: String
        let median: Double
        let worst: Double
    }

    /// Texts written by one model.
    struct Texts {
        /// Against what is known to be said.
        var errors = WordErrors()
        /// Tokens by which they differ from the exact model's: put in, left out or exchanged.
        var differing = 0
        /// Of the exact model.
        var tokens = 0
        /// Texts that are the exact model's to the letter.
        var same = 0
        var texts = 0
    }

    struct Measured {
        let precision: V1.ModelRef.Precision
        /// Relative errors by hook point, one a recording.
        var errors: [String: [Double]] = [:]
        var texts = Texts()
    }

    let model: String
    let sha256: String
    /// In the order of the forward pass.
    var hooks: [String] = []
    var exact = Texts()
    var measured: [Measured]
    var recordings = 0
    /// Recordings that could not be heard, and precisions that are not here.
    var problems: [String] = []

    func lines(_ measured: Measured) -> [HookLine] {
        hooks.compactMap { hook in measured.errors[hook].map { Self.line(hook, $0) } }
    }

    private static func line(_ hook: String, _ errors: [Double]) -> HookLine {
        // A NaN is worse than anything.
        let sorted = errors.map { $0.isNaN ? .infinity : $0 }.sorted()
        let middle = sorted.count / 2
        let median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        return HookLine(hook: hook, median: median, worst: sorted[sorted.count - 1])
    }

    // MARK: - Text

    /// - Parameter each: a line for every hook point; else one for each kind, over all blocks.
    func text(each: Bool) -> String {
        var table = TextTable(
            header: ["HOOK"] + measured.flatMap { ["\($0.precision.name.uppercased()) MEDIAN", "WORST"] })
        let kinds = each ? hooks.map { ($0, [$0]) } : Self.kinds(hooks)
        for (name, hooks) in kinds {
            let cells = measured.flatMap { measured in
                let all = hooks.flatMap { measured.errors[$0] ?? [] }
                guard !all.isEmpty else { return ["-", "-"] }
                let line = Self.line(name, all)
                return [Self.percent(line.median), Self.percent(line.worst)]
            }
            table.append(row: [name] + cells)
        }
        let what = "relative error (L2) over \(recordings) recordings, against exact"
        return (["\(PrintedText.safe(model)): \(what)", table.text] + [textTable].compactMap { $0 })
            .joined(separator: "\n\n")
    }

    private var textTable: String? {
        guard exact.texts > 0 else { return nil }
        var table = TextTable("PRECISION", "WORD ERRORS", "TOKENS THAT DIFFER", "SAME TEXTS")
        for (name, texts) in [("exact", exact)] + measured.map({ ($0.precision.name, $0.texts) }) {
            let words = texts.errors.words
            table.append(
                name, words == 0 ? "-" : "\(Self.percent(texts.errors.rate)) (\(texts.errors.errors) of \(words))",
                "\(texts.differing) of \(texts.tokens)", "\(texts.same) of \(texts.texts)")
        }
        return table.text
    }

    /// Hook points that differ in the number of their block alone, under one name.
    private static func kinds(_ hooks: [String]) -> [(String, [String])] {
        var order: [String] = []
        var members: [String: [String]] = [:]
        for hook in hooks {
            let name = hook.split(separator: ".").map { Int($0) == nil ? String($0) : "*" }.joined(separator: ".")
            if members[name] == nil { order.append(name) }
            members[name, default: []].append(hook)
        }
        return order.map { ($0, members[$0] ?? []) }
    }

    private static func percent(_ share: Double) -> String {
        share.isFinite ? String(format: "%.2f %%", 100 * share) : "infinite"
    }

    // MARK: - JSON

    var json: JSON {
        [
            "model": .string(model), "model_sha256": .string(sha256), "recordings": .integer(recordings),
            "exact": Self.json(exact),
            "precisions": .array(
                measured.map { measured in
                    [
                        "precision": .string(measured.precision.name),
                        "hooks": .array(
                            lines(measured).map {
                                [
                                    "hook": .string($0.hook), "median": .number($0.median), "worst": .number($0.worst),
                                ]
                            }), "texts": Self.json(measured.texts),
                    ]
                }), "problems": JSON(problems),
        ]
    }

    private static func json(_ texts: Texts) -> JSON {
        [
            "texts": .integer(texts.texts), "same": .integer(texts.same), "tokens": .integer(texts.tokens),
            "tokens_that_differ": .integer(texts.differing), "words": .integer(texts.errors.words),
            "word_errors": .integer(texts.errors.errors),
            "word_error_rate": texts.errors.words > 0 ? .number(texts.errors.rate) : .null,
        ]
    }
}
