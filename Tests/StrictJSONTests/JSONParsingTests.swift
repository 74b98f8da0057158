import StrictJSON
import Testing

@Suite("JSON, read") struct JSONParsingTests {
    @Test(
        "values come back as they were written",
        arguments: [
            "null", "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551615",
            "1.5", "-0.0", "1e+300", "\"\"", "\"h\u{F6}r \u{1F3A7}\"", "[]", "{}", "[1,[2,[]],{\"a\":[{}]}]",
            "{\"b\":1,\"a\":2}", #""\"\\\n\t\r""#,
        ])
    func roundTrip(text: String) throws {
        #expect(try JSON(parsing: text).compactText == text)
        #expect(try JSON(parsing: JSON(parsing: text).text).compactText == text)
    }

    @Test("integers stay exact up to 2^64 - 1, and are numbers beyond")
    func integers() throws {
        guard case .integer(9_007_199_254_740_993) = try JSON(parsing: "9007199254740993") else {
            Issue.record("2^53 + 1 is not exact")
            return
        }
        guard case .unsigned(.max) = try JSON(parsing: "18446744073709551615") else {
            Issue.record("2^64 - 1 is not exact")
            return
        }
        guard case .number(18_446_744_073_709_551_616) = try JSON(parsing: "18446744073709551616") else {
            Issue.record("2^64 is no number")
            return
        }
    }

    @Test("escapes are read", arguments: [(#""\u0041\/\b\f""#, "A/\u{8}\u{C}"), (#""\ud83c\udfa7""#, "\u{1F3A7}")])
    func escapes(text: String, expected: String) throws {
        guard case .string(expected) = try JSON(parsing: text) else {
            Issue.record("\(text) is not \(expected)")
            return
        }
    }

    @Test("blanks are allowed around everything")
    func blanks() throws {
        #expect(try JSON(parsing: " \n{ \"a\" :\t[ 1 , 2 ] }\r\n").compactText == "{\"a\":[1,2]}")
    }

    @Test(
        "what is not JSON is refused with its place",
        arguments: [
            ("", "the text ends at line 1, column 1"), ("{", "quotation marks at line 1, column 2"),
            ("[1,]", "expected a value at line 1, column 4"), ("{\"a\":1,}", "quotation marks at line 1, column 8"),
            ("{\"a\" 1}", "a colon at line 1, column 6"), ("[1 2]", "a comma or a closing bracket at line 1, column 4"),
            ("{\"a\":1\n\"b\":2}", "a comma or a closing brace at line 2, column 1"),
            ("nul", "'null' at line 1, column 1"),
            ("01", "leading zero at line 1, column 1"), ("-", "a digit at line 1, column 2"),
            ("1.", "after the point at line 1, column 3"), ("1e", "an exponent at line 1, column 3"),
            ("1e400", "too large at line 1, column 1"), ("+1", "a value at line 1, column 1"),
            ("NaN", "a value at line 1, column 1"), ("'a'", "a value at line 1, column 1"),
            ("// x\n1", "a value at line 1, column 1"), ("1 2", "nothing after the value at line 1, column 3"),
            ("\"a", "does not end at line 1, column 1"),
            ("\"a\nb\"", "a control character in a string at line 1, column 3"),
            (#""\x""#, "an unknown escape at line 1, column 2"), (#""\u12""#, "hexadecimal digits at line 1, column 6"),
            (#""\ud800""#, "half a surrogate pair at line 1, column 2"),
            (#""\udc00\ud800""#, "half a surrogate pair at line 1, column 2"),
            ("{\"a\":1,\n \"a\":2}", "the key \"a\" comes twice at line 2, column 2"),
            ("[\"\u{F6}\u{1F3A7}\", x]", "expected a value at line 1, column 8"),
        ])
    func refusal(text: String, problem: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: text) }
        #expect(error?.description.hasPrefix("not valid JSON: ") == true)
        #expect(error?.description.hasSuffix(problem) == true, "\(error?.description ?? "")")
    }

    @Test(
        "bytes that are not UTF-8 are refused",
        arguments: [[0xFF], [0x22, 0xFF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]])
    func notUTF8(bytes: [UInt8]) {
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: bytes) }
    }

    @Test("nesting has a bound") func depth() throws {
        let deepest = JSON.maximumDepth
        let text = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
        #expect(try JSON(parsing: text(deepest)).compactText == text(deepest))
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: text(deepest + 1)) }
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: String(repeating: "[", count: 1_000_000)) }
    }
}
