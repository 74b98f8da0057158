/// A table as a plugin emits it.
public struct AtlasTable: Sendable {
    public enum Cell: Sendable, Hashable {
        case number(Double)
        case text(String)
        case missing
    }

    /// The output's id: "features", "examples", …
    public var name: String
    public var columns: [String]
    public var rows: [[Cell]]

    public init(name: String, columns: [String], rows: [[Cell]]) {
        self.name = name
        self.columns = columns
        self.rows = rows
    }
}

/// The rows of a table by the names of its columns, each cell checked when it is read.
struct AtlasTableReader {
    let table: AtlasTable
    private let places: [String: Int]

    /// - Parameter needed: columns that must be there; others may.
    /// - Throws: ``AtlasError`` (`dataLoss`) where one is missing, or there twice.
    init(_ table: AtlasTable, needed: [String]) throws {
        self.table = table
        var places: [String: Int] = [:]
        for (place, column) in table.columns.enumerated() {
            guard places.updateValue(place, forKey: column) == nil else {
                throw AtlasError(.dataLoss, "the table '\(table.name)' has the column '\(column)' twice")
            }
        }
        let missing = needed.filter { places[$0] == nil }
        guard missing.isEmpty else {
            throw AtlasError(
                .dataLoss,
                "the table '\(table.name)' has no column \(missing.joined(separator: ", ")); it has "
                    + table.columns.joined(separator: ", "))
        }
        self.places = places
    }

    func forEach(_ body: (Row) throws -> Void) throws {
        for (index, cells) in table.rows.enumerated() {
            guard cells.count == table.columns.count else {
                throw AtlasError(
                    .dataLoss,
                    "the table '\(table.name)' has \(table.columns.count) columns, and \(cells.count) cells in row \(index + 1)"
                )
            }
            try body(Row(reader: self, cells: cells, index: index))
        }
    }

    struct Row {
        fileprivate let reader: AtlasTableReader
        fileprivate let cells: [AtlasTable.Cell]
        fileprivate let index: Int

        private func cell(_ column: String) -> AtlasTable.Cell {
            guard let place = reader.places[column] else { return .missing }
            if case .number(let value) = cells[place], value.isNaN { return .missing }
            return cells[place]
        }

        func isMissing(_ column: String) -> Bool { cell(column) == .missing }

        func error(_ column: String, expected: String) -> AtlasError {
            let came =
                switch cell(column) {
                case .number(let value): "\(value)"
                case .text(let text): "'\(text.prefix(60))'"
                case .missing: "nothing"
                }
            return AtlasError(
                .dataLoss,
                "the table '\(reader.table.name)' has \(came) for \(column) in row \(index + 1); expected \(expected)")
        }

        /// A finite number, or none.
        func number(_ column: String) throws -> Double? {
            switch cell(column) {
            case .missing: return nil
            case .number(let value) where value.isFinite: return value
            case .text(""): return nil
            default: throw error(column, expected: "a number")
            }
        }

        func needed(number column: String) throws -> Double {
            guard let value = try number(column) else { throw error(column, expected: "a number") }
            return value
        }

        /// A whole number, or none.
        func integer(_ column: String, in range: ClosedRange<Int> = 0...(1 << 53)) throws -> Int? {
            guard let value = try number(column) else { return nil }
            guard let whole = Int(exactly: value), range.contains(whole) else {
                throw error(column, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return whole
        }

        func needed(integer column: String, in range: ClosedRange<Int> = 0...(1 << 53)) throws -> Int {
            guard let value = try integer(column, in: range) else { throw error(column, expected: "a whole number") }
            return value
        }

        /// Text; a number as it is written, as speakers may be called 103; none for nothing.
        func text(_ column: String) -> String? {
            switch cell(column) {
            case .text(""), .missing: nil
            case .text(let text): text
            case .number(let value): Int(exactly: value).map(String.init) ?? "\(value)"
            }
        }

        func needed(text column: String) throws -> String {
            guard let text = text(column) else { throw error(column, expected: "text") }
            return text
        }

        /// "+" or "-"; "+" where the table does not say.
        func side() throws -> String {
            guard let side = text("side") else { return "+" }
            guard side == "+" || side == "-" else { throw error("side", expected: "'+' or '-'") }
            return side
        }
    }
}
