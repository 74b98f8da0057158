import Results
import Foundation
import Messages
import Testing

@Suite("Results in a terminal") struct ResultsTextTests {
    private func text(_ run: RunResults, width: Int = 60, _ colours: TerminalStyle.Colours = .none) -> String {
        ResultsText(TerminalStyle(width: width, colours: colours)).text(run)
    }

    @Test("a table lines up: text left, numbers right with the same digits, no value a dash")
    func table() {
        let table = V1.PluginTable(
            columns: ["label", "n", "share"],
            rows: [
                V1.PluginRow(cells: [Planted.text("ʃ"), Planted.number(12), Planted.number(0.5)]),
                V1.PluginRow(cells: [Planted.text("silence"), Planted.number(1000), V1.PluginCell()]),
                V1.PluginRow(cells: [Planted.text("漢字"), Planted.number(7), Planted.number(0.25)]),
            ])
        #expect(
            text(Planted.one(Planted.output("t", .table, title: "Labels"), .table(table))) == """
                Labels
                label       n   share
                ʃ          12  0.5000
                silence  1000       –
                漢字        7  0.2500

                """)
    }

    @Test("columns that do not fit are named in a note")
    func wide() {
        let columns = (0..<30).map { "column\($0)" }
        let row = V1.PluginRow(cells: columns.map { _ in Planted.number(1) })
        let out = text(
            Planted.one(Planted.output("t", .table), .table(V1.PluginTable(columns: columns, rows: [row]))), width: 40)
        #expect(out.contains("… 26 more columns: column4,"))
        #expect(out.split(separator: "\n").allSatisfy { $0.count <= 40 })
    }

    @Test("of 10,000 rows the first are shown, and how many more there are is said")
    func long() {
        let rows = (0..<10_000).map { V1.PluginRow(cells: [Planted.number(Double($0))]) }
        let out = text(Planted.one(Planted.output("t", .table), .table(V1.PluginTable(columns: ["n"], rows: rows))))
        #expect(out.contains("… 9940 more rows"))
    }

    @Test("a vector is a line of marks over its axis")
    func vector() {
        let axis = V1.ResultAxis(name: "time", unit: "s", step: 0.5)
        let value = Planted.array(Planted.tensor((0..<8).map(Float.init), [8]))
        #expect(
            text(Planted.one(Planted.output("v", .vector, [axis]), value)) == """
                v
                ▁▂▃▄▅▆▇█
                0 … 3.5  → time (s)
                min 0, max 7; 8 values

                """)
    }

    @Test("a matrix is shaded, with both axes and its scale; colours come only where they are asked for")
    func matrix() {
        let axes = [V1.ResultAxis(name: "row", labels: ["a", "b"]), V1.ResultAxis(name: "column")]
        let value = Planted.array(Planted.tensor([0, 1, 2, 3, .nan, 4], [2, 3]))
        let run = Planted.one(Planted.output("m", .matrix, axes), value)
        #expect(
            text(run) == """
                m
                ↓ row
                a   ░░▒▒
                b ▓▓··██
                  0 … 2  → column
                0 [ ░▒▓█] 4; · no value; 2 × 3 values

                """)
        #expect(text(run, .all).contains("\u{1B}[48;2;"))
        #expect(text(run, .palette).contains("\u{1B}[48;5;"))
    }

    @Test("what a plugin says cannot move the cursor or turn the direction of writing")
    func escapes() {
        let out = text(Planted.one(Planted.output("t", .text), .text("a\u{1B}[2Jb\u{202E}c\u{9B}1m\nd")))
        #expect(out == "t\na\u{FFFD}[2Jb\u{FFFD}c\u{FFFD}1m\nd\n")
    }

    @Test("a result that is not as declared is said, and the others are shown")
    func broken() {
        let outputs = [Planted.output("a", .scalar), Planted.output("b", .matrix)]
        let run = Planted.run(
            outputs,
            [
                V1.PluginResult(outputId: "b", value: Planted.array(Planted.tensor([1], [2, 2]))),
                V1.PluginResult(outputId: "c", value: .scalar(1)), V1.PluginResult(outputId: "a", value: .scalar(2)),
                V1.PluginResult(outputId: "b", value: .text("no")),
            ])
        let out = text(run, width: 100)
        #expect(out.contains("a  2\n"))
        #expect(out.contains("'b' has the shape [2, 2], and 4 bytes of it came"))
        #expect(out.contains("'c' is not among the plugin's outputs"))
        #expect(out.contains("'b' is declared as matrix, and text came"))
    }

    @Test("extremes draw something and trap nowhere", arguments: Extremes.all)
    func extremes(_ extreme: Extreme) {
        #expect(!text(extreme.run).isEmpty)
        #expect(!text(extreme.run, width: 1, .all).isEmpty)
    }
}
