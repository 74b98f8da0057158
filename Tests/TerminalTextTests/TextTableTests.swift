import TerminalText
import Testing

@Suite("Tables of text") struct TextTableTests {
    @Test func `Columns line up whatever their letters are`() {
        var table = TextTable("NAME", "TEXT", "N")
        let names = ["plain", "日本語", "e\u{301}te\u{301}", "👩‍👩‍👧", "مرحبا", ""]
        for name in names { table.append(name, "x", "1") }
        for line in table.lines.dropFirst() {
            let before = line.prefix { $0 != "x" }
            #expect(PrintedText.width(String(before)) == 8, "\(line)")
        }
        #expect(table.lines[0] == "NAME    TEXT  N" && table.lines[2] == "日本語  x     1")
        #expect(table.lines.count == 7 && table.text.split(separator: "\n").count == 7)
    }

    @Test func `Numbers stand right, and no line ends with blanks`() {
        var table = TextTable(header: ["a", "日本"], alignments: [.left, .right])
        table.append("one", "7")
        table.append(row: ["two", ""])
        table.append("three")
        #expect(table.lines == ["a      日本", "one       7", "two", "three"])
    }
}
