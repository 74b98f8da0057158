import DataSets

/// Which columns recordings have, and how many different values of each.
struct RecordingColumns: Sendable {
    /// More different values than this are not told apart.
    private static let mostValues = 1000

    private struct Column: Sendable {
        var recordings = 0
        var values: Set<String> = []
    }

    private var columns: [String: Column] = [:]

    /// In the order of their names.
    var names: [String] { columns.keys.sorted() }

    mutating func count(_ item: DataSetItem) {
        for label in item.columns where !label.value.isEmpty {
            columns[label.column, default: Column()].recordings += 1
            guard columns[label.column]?.values.count ?? 0 < Self.mostValues else { continue }
            columns[label.column]?.values.insert(label.value)
        }
    }

    func recordings(with column: String) -> Int { columns[column]?.recordings ?? 0 }
    func values(of column: String) -> Int { columns[column]?.values.count ?? 0 }
}
