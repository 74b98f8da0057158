import PluginKit

/// A table that is given in pieces: a result has a largest size, and rows in memory cost more than the numbers in them.
struct TableOutput {
    let id: String
    let columns: [String]
    private let results: Results
    private var rows: [[Cell]] = []
    private var hasEmitted = false

    private static let rowsOfPiece = 20_000

    init(_ id: String, _ columns: [String], _ results: Results) {
        self.id = id
        self.columns = columns
        self.results = results
    }

    mutating func append(_ row: [Cell]) throws {
        rows.append(row)
        if rows.count >= Self.rowsOfPiece { try flush() }
    }

    /// Gives what there is, and a table without rows where there was none: so readers know that nothing was found.
    mutating func flush() throws {
        guard !rows.isEmpty || !hasEmitted else { return }
        try results.emit(id, .table(columns: columns, rows: rows), mayBeNaN: true)
        rows.removeAll(keepingCapacity: true)
        hasEmitted = true
    }
}

extension Cell {
    init(_ number: some BinaryInteger) { self = .number(Double(number)) }
    init(_ number: Float) { self = .number(Double(number)) }
    init(_ number: Double) { self = .number(number) }
    init(_ text: String) { self = .text(text) }
}
