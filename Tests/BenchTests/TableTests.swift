import StrictJSON
import Testing

@testable import Bench

struct TableTests {
    private var table: Table {
        let ours = Measurement(name: "ours", unit: "ms", samples: [10, 11, 12], ideal: 5.5)
        let peer = Measurement(name: "a longer name", unit: "ms", note: "its note", samples: [20, 22, 24])
        let gone = Measurement(name: "gone", unit: "ms", note: "left out: it ended", samples: [])
        return Table("title", remarks: ["a remark"], rows: [ours, peer.compared(to: ours), gone])
    }

    @Test("Columns are aligned, and those that no row fills are left out")
    func text() {
        #expect(
            table.text == """
                title
                  a remark
                  quantity         median    quartiles                    ratio  × limit  note
                  ours           11.00 ms  10.50–11.50                              2.00
                  a longer name  22.00 ms  21.00–23.00  2.00 (2.00–2.00) × ours           its note
                  gone                  –                                                 left out: it ended
                """)
    }

    @Test("The same as Markdown, with bars in names kept from ending a cell")
    func markdown() {
        var table = table
        table.rows[0].name = "a|b"
        let lines = table.markdown.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "### title")
        #expect(lines[4] == "| quantity | median | quartiles | ratio | × limit | note |")
        #expect(lines[5] == "|---|---:|---:|---:|---:|---|")
        #expect(lines[6] == "| a\\|b | 11.00 ms | 10.50–11.50 |  | 2.00 |  |")
    }

    @Test("Latencies have their percentiles")
    func latencies() {
        let row = Measurement(name: "call", unit: "µs", samples: Array(1...101).map(Double.init), isLatency: true)
        let text = Table("t", rows: [row]).text
        #expect(text.contains("p95") && text.contains("p99"))
        #expect(text.contains("51.00 µs") && text.contains("96.00") && text.contains("100.0"))
    }

    @Test(
        "Numbers have the digits that mean something",
        arguments: [
            (1234.5, "1,234"), (1_234_567, "1,234,567"), (-2345, "−2,345"), (123.45, "123.5"), (12.345, "12.35"),
            (1.2345, "1.234"), (0.001, "1.00e-03"), (0, "0.000"), (.nan, "–"),
        ] as [(Double, String)])
    func figures(value: Double, text: String) {
        #expect(Figure.text(value) == text)
    }

    @Test("The JSON has every sample, and parses")
    func json() throws {
        let report = Report(heading: [("date", "today")], prints: { _ in })
        report.add(table)
        guard case .object(let members) = try JSON(parsing: report.json),
            case .array(let tables)? = members.first(where: { $0.0 == "tables" })?.1,
            case .object(let first)? = tables.first,
            case .array(let rows)? = first.first(where: { $0.0 == "rows" })?.1,
            case .object(let peer)? = rows.dropFirst().first
        else {
            Issue.record("another shape: \(report.json)")
            return
        }
        let byName = Dictionary(uniqueKeysWithValues: peer.map { ($0.0, $0.1.compactText) })
        #expect(byName["samples"] == "[20.0,22.0,24.0]" || byName["samples"] == "[20,22,24]")
        #expect(byName["reference"] == "\"ours\"")
        // What was not measured has no median.
        #expect(report.json.contains("\"median\": null"))
    }

    @Test("A report that cannot be written says where")
    func unwritable() {
        let report = Report(prints: { _ in })
        #expect {
            try report.write(to: "/nowhere/at/all.json")
        } throws: { "\($0)".contains("/nowhere/at/all.json") }
    }
}
