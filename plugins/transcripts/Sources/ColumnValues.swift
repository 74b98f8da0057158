import PluginKit

/// Which recordings are meant: those that have one of some values in a column, written "label=music,silence".
package struct ColumnValues: Sendable {
    package let column: String
    package let values: Set<String>

    /// - Returns: nil for an empty text, by which none is meant.
    /// - Throws: ``PluginError`` (`invalidArgument`) where the text has no column or no value.
    package init?(parsing text: String, parameter: String) throws {
        guard text.contains(where: { $0 != " " }) else { return nil }
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(Self.trimmed)
        let values = parts.count == 2 ? parts[1].split(separator: ",").map(Self.trimmed).filter { !$0.isEmpty } : []
        guard let column = parts.first, !column.isEmpty, !values.isEmpty else {
            throw PluginError(
                .invalidArgument,
                "\(parameter) is \"\(text)\"; expected a column and its values, as label=music,silence, or nothing")
        }
        self.column = column
        self.values = Set(values)
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let from = text.firstIndex { $0 != " " } ?? text.endIndex
        return String(text[from...].reversed().drop { $0 == " " }.reversed())
    }

    package func contains(_ recording: HeardRecording) -> Bool {
        recording.labels[column].map(values.contains) ?? false
    }

    /// The parameter that says in which recordings nobody speaks.
    package static let nonSpeech = Parameter.text(
        "nonspeech", default: "label=music,nature,noise,silence",
        "in which recordings nobody speaks: a column of the data set and its values; empty: in none")
}
