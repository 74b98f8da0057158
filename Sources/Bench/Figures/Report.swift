import Foundation
import StrictJSON

/// What a run found: tables, printed as they are complete, and all of them as JSON at the end.
public final class Report {
    private let prints: (String) -> Void
    private let asMarkdown: Bool
    public private(set) var tables: [Table] = []
    /// What the run was: time, machine, arguments.
    private let heading: [(String, JSON)]

    public init(asMarkdown: Bool = false, heading: [(String, String)] = [], prints: @escaping (String) -> Void) {
        self.asMarkdown = asMarkdown
        self.heading = heading.map { ($0.0, .string($0.1)) }
        self.prints = prints
    }

    public func add(_ table: Table) {
        tables.append(table)
        prints((asMarkdown ? table.markdown : table.text) + "\n")
    }

    /// One line beside the tables: what is left out, and why.
    public func say(_ line: String) { prints(line) }

    public var json: String {
        JSON.object(
            heading + [
                (
                    "tables",
                    .array(
                        tables.map { table in
                            .object([
                                ("title", .string(table.title)),
                                ("remarks", .array(table.remarks.map(JSON.string))),
                                ("rows", .array(table.rows.map(\.json))),
                            ])
                        })
                )
            ]
        ).text + "\n"
    }

    /// - Throws: ``BenchError`` where nothing can be written there.
    public func write(to path: String) throws {
        do { try json.write(toFile: path, atomically: true, encoding: .utf8) } catch {
            throw BenchError("cannot write \(path): \(error.localizedDescription)")
        }
    }
}

extension Measurement {
    var json: JSON {
        var members: [(String, JSON)] = [
            ("name", .string(name)), ("unit", .string(unit)), ("count", .integer(samples.count)),
            // Thousands of latencies are what their quantiles say.
            ("samples", .array(samples.count > 1000 ? [] : samples.map(JSON.number))),
            ("median", .number(median)), ("q1", .number(quartiles.0)), ("q3", .number(quartiles.1)),
            ("p95", .number(p95)), ("p99", .number(p99)),
        ]
        if let comparison {
            let (low, high) = Statistics.quartiles(of: comparison.ratios)
            members += [
                ("reference", .string(comparison.reference)),
                ("ratio", .number(Statistics.median(of: comparison.ratios))), ("ratio_q1", .number(low)),
                ("ratio_q3", .number(high)),
            ]
        }
        if let ideal { members.append(("limit", .number(ideal))) }
        if !note.isEmpty { members.append(("note", .string(note))) }
        return .object(members)
    }
}

/// Why something was not measured.
public struct BenchError: Error, CustomStringConvertible, Sendable {
    public let description: String
    public init(_ description: String) { self.description = description }
}
