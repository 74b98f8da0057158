import Foundation
import PluginKit

/// Where a recording is cut, as it was asked for.
enum CutPlace: Equatable {
    case frames(Range<Int>)
    case seconds(Double, Double)
    /// "3", "3-5", or what is said.
    case word(String)

    /// The place that the arguments name; nil where they name none.
    /// - Throws: ``PluginError`` (`invalidArgument`) for what is no place, and for several.
    init?(_ arguments: Arguments) throws {
        let given = try ["frames", "seconds", "word"].filter { id in
            try arguments.text(id).contains { !$0.isWhitespace }
        }
        guard given.count <= 1 else {
            throw PluginError(
                .invalidArgument, "\(given.joined(separator: " and ")) are given; expected one place, or none")
        }
        guard let id = given.first else { return nil }
        let text = try arguments.text(id).trimmingCharacters(in: .whitespaces)
        if id == "word" {
            guard !text.contains("\"") else {
                throw PluginError(
                    .invalidArgument, "word is \(text); expected a number, as 3 or 3-5, or words without quotes")
            }
            self = .word(text)
            return
        }
        let bounds = text.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
        guard bounds.count == 2, let from = bounds[0], let to = bounds[1], from.isFinite, to.isFinite, from >= 0,
            to > from, to <= 1e6, id == "seconds" || (from == from.rounded() && to == to.rounded())
        else {
            let example = id == "frames" ? "frames from and before, as 0:50" : "seconds from and to, as 3:3.5"
            throw PluginError(.invalidArgument, "\(id) is \"\(text)\"; expected \(example)")
        }
        self = id == "frames" ? .frames(Int(from)..<Int(to)) : .seconds(from, to)
    }

    /// The place as an intervention has it.
    var text: String {
        switch self {
        case .frames(let range): "@frames \(range.lowerBound):\(range.upperBound)"
        case .seconds(let from, let to): "@frames \(from)s:\(to)s"
        case .word(let word): word.allSatisfy { $0.isNumber || $0 == "-" } ? "@word \(word)" : "@\"\(word)\""
        }
    }

    func intervention(at hook: String) -> String { "\(hook) \(text) substitute-padding" }
}
