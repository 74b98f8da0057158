import PluginKit

/// A table that is given in pieces: a result has to fit one message of the wire, and rows in memory cost more than the
/// numbers in them. Whoever reads it takes tables of one id as one.
struct TableOutput {
    let id: String
    let columns: [String]
    private let results: Results
    private var rows: [[Cell]] = []
    private var bytes = 0
    private var hasEmitted = false

    /// Half of what a message of the socket may have, 4 MiB.
    private static let bytesOfPiece = 2 << 20

    init(_ id: String, _ columns: [String], _ results: Results) {
        self.id = id
        self.columns = columns
        self.results = results
    }

    mutating func append(_ row: [Cell]) throws {
        // A cell takes its contents and up to eight bytes around them.
        let size = row.reduce(4) { size, cell in
            if case .text(let text) = cell { size + text.utf8.count + 8 } else { size + 16 }
        }
        if bytes + size > Self.bytesOfPiece { try flush() }
        rows.append(row)
        bytes += size
    }

    /// Gives what there is, and a table without rows where there was none: so readers know that nothing was found.
    mutating func flush() throws {
        guard !rows.isEmpty || !hasEmitted else { return }
        try results.emit(id, .table(columns: columns, rows: rows), mayBeNaN: true)
        rows.removeAll(keepingCapacity: true)
        (bytes, hasEmitted) = (0, true)
    }
}

extension Cell {
    init(_ number: some BinaryInteger) { self = .number(Double(number)) }
    init(_ number: Float) { self = .number(Double(number)) }
    init(_ number: Double) { self = .number(number) }
    init(_ text: String) { self = .text(text) }
}
