import TestSupport
import Testing

@testable import Drawing

@Suite("Text in pictures") struct TextTests {
    @Test func `A text is as wide as its letters, and twice as wide at twice the size`() {
        let one = Text("nnnn"), two = Text("nnnnnnnn")
        #expect(one.width > 0 && abs(two.width - 2 * one.width) < 0.5)
        #expect(abs(Text("nnnn", TextStyle(size: 24)).width - 2 * one.width) < 0.5)
        #expect(Text("").width == 0 && one.height >= 12 && one.baseline < one.height)
    }

    @Test(arguments: ["a long label of words", "تسمية طويلة جدا للتجربة", "長い長い長いラベルの文字列です", "👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧"])
    func `A text is no wider than it may be`(label: String) {
        let whole = Text(label)
        for share in [0.3, 0.5, 0.9] {
            let cut = Text(label, within: whole.width * share)
            #expect(cut.width <= whole.width * share + 0.5 && cut.width > 0)
        }
        #expect(Text(label, within: whole.width + 1).width == whole.width)
    }

    @Test func `Very long texts are cut before they are looked at`() {
        let text = Text(String(repeating: "a", count: 100_000))
        #expect(text.string.count == 401 && text.string.hasSuffix("…"))
    }

    @Test func `A line has no ends of lines, and nothing that a terminal or XML would obey`() {
        #expect(PrintableText.line("a\tb\r\nc\u{2028}d") == "a b  c d")
        #expect(PrintableText.line("\u{0}\u{7}\u{9B}\u{FFFE}") == String(repeating: "\u{FFFD}", count: 4))
        #expect(PrintableText.line("日本語", most: 2) == "日本…" && PrintableText.line("日本", most: 2) == "日本")
    }
}
