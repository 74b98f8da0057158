import Glibc
import TerminalText
import Testing

@Suite("Columns of a terminal") struct TextWidthTests {
    @Test(arguments: [
        ("", 0), ("plain", 5), ("日本語", 6), ("ｶﾅ", 2), ("ＡＢ", 4), ("한국어", 6), ("한", 2),
        ("e\u{301}", 1), ("a\u{308}\u{301}b", 2), ("é", 1), ("naïve", 5), ("\u{301}", 0),
        ("😀", 2), ("👍🏽", 2), ("👩‍👩‍👧", 2), ("🇩🇪", 2), ("❤️", 2), ("❤", 1), ("1️⃣", 2), ("😀😀 x", 6),
        ("مرحبا", 5), ("مُ", 1), ("שלום", 4), ("नमस्ते", 4), ("ไทย", 3), ("a\u{200B}b", 2), ("co\u{AD}op", 5), ("±→…", 3),
    ])
    func `Text takes the columns that a terminal gives it`(text: String, columns: Int) {
        #expect(PrintedText.width(text) == columns, "\(text)")
    }

    @Test func `Single scalars are as wide as the C library says`() throws {
        let locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)
        try #require(locale != nil, "this system has no locale C.UTF-8")
        // Glibc's module leaves it out.
        let symbol = try #require(dlsym(nil, "wcwidth"))
        let wcwidth = unsafeBitCast(symbol, to: (@convention(c) (wchar_t) -> Int32).self)
        let old = uselocale(locale)
        defer {
            uselocale(old)
            freelocale(locale)
        }
        // Circled numbers and hexagrams, which glibc has wide against Unicode's table, and a sign whose category has changed.
        let others: [ClosedRange<UInt32>] = [0x3248...0x324F, 0x4DC0...0x4DFF, 0x1171E...0x1171E]
        var different: [String] = []
        for value in UInt32(0x20)..<0x30000 {
            guard let scalar = Unicode.Scalar(value), !others.contains(where: { $0.contains(value) }) else { continue }
            let expected = Int(wcwidth(wchar_t(value)))
            // Either library may know letters that the other's version of Unicode does not have yet.
            guard expected >= 0, scalar.properties.generalCategory != .unassigned else { continue }
            let columns = PrintedText.width(String(Character(scalar)))
            if columns != expected, (scalar.properties.age ?? (99, 0)).major <= 14 {
                different.append("U+\(String(value, radix: 16)): \(columns), not \(expected)")
            }
        }
        #expect(different.isEmpty, "\(different.prefix(20))")
    }

    @Test(arguments: 1...12)
    func `What is cut is no wider than it may be`(columns: Int) {
        for text in [
            "日本語のラベル", "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}", "👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", "plain text that is long",
        ] {
            let cut = PrintedText.cut(text, to: columns)
            #expect(PrintedText.width(cut) <= columns)
            #expect(cut == text || cut.hasSuffix("…"))
            let end = PrintedText.cutBeginning(of: text, to: columns)
            #expect(PrintedText.width(end) <= columns)
            #expect(end == text || (end.hasPrefix("…") && text.hasSuffix(end.dropFirst())))
        }
    }
}
