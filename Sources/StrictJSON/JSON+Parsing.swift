/// Why a text is not JSON, and where.
package struct JSONSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Counted from 1; a column is a Unicode scalar.
    package let line: Int
    package let column: Int
    package let problem: String

    package var description: String { "not valid JSON: \(problem) at line \(line), column \(column)" }
}

extension JSON {
    /// Deeper than any message of 64 levels whose fields are all lists, and shallow enough for any stack.
    package static let maximumDepth = 128

    /// The value that `text` spells (RFC 8259, strictly): no comments, no trailing commas, no key twice.
    ///
    /// An integer without fraction or exponent stays exact where it fits `Int` or `UInt64`; every other number is a
    /// `Double`.
    /// - Throws: ``JSONSyntaxError``.
    package init(parsing text: String) throws { try self.init(parsing: Array(text.utf8)) }

    /// The same for the text's UTF-8.
    package init(parsing bytes: [UInt8]) throws { self = try bytes.withUnsafeBytes { try JSON(parsing: $0) } }

    /// The same where it lies.
    package init(parsing bytes: UnsafeRawBufferPointer) throws {
        var parser = JSONTextParser(bytes)
        self = try parser.document()
    }
}

/// A key, compared by its bytes: Swift holds strings for equal that differ in their composition, JSON does not.
private struct KeyBytes: Hashable {
    let text: String

    static func == (a: KeyBytes, b: KeyBytes) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

private struct JSONTextParser {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0
    private var depth = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func document() throws -> JSON {
        let value = try value()
        skipWhitespace()
        guard peek == nil else { throw error("expected nothing after the value") }
        return value
    }

    private mutating func value() throws -> JSON {
        skipWhitespace()
        switch peek {
        case UInt8(ascii: "{"): return try nested { .object(try $0.members()) }
        case UInt8(ascii: "["): return try nested { .array(try $0.elements()) }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"): return try number()
        case let digit? where isDigit(digit): return try number()
        case nil: throw error("expected a value, and the text ends")
        default: throw error("expected a value")
        }
    }

    private mutating func nested(_ body: (inout JSONTextParser) throws -> JSON) throws -> JSON {
        guard depth < JSON.maximumDepth else { throw error("nested deeper than \(JSON.maximumDepth) levels") }
        depth += 1
        offset += 1  // the bracket
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func members() throws -> [(String, JSON)] {
        var members: [(String, JSON)] = []
        var keys: Set<KeyBytes> = []
        skipWhitespace()
        if skip("}") { return members }
        repeat {
            skipWhitespace()
            guard peek == UInt8(ascii: "\"") else { throw error("expected a key in quotation marks") }
            let start = offset
            let key = try string()
            guard keys.insert(KeyBytes(text: key)).inserted else {
                throw error("the key \"\(key)\" comes twice", at: start)
            }
            skipWhitespace()
            guard skip(":") else { throw error("expected a colon") }
            members.append((key, try value()))
            skipWhitespace()
        } while skip(",")
        guard skip("}") else { throw error("expected a comma or a closing brace") }
        return members
    }

    private mutating func elements() throws -> [JSON] {
        var elements: [JSON] = []
        skipWhitespace()
        if skip("]") { return elements }
        repeat {
            elements.append(try value())
            skipWhitespace()
        } while skip(",")
        guard skip("]") else { throw error("expected a comma or a closing bracket") }
        return elements
    }

    private mutating func literal(_ text: String, _ value: JSON) throws -> JSON {
        guard bytes[offset...].starts(with: text.utf8) else { throw error("expected '\(text)'") }
        offset += text.utf8.count
        return value
    }

    private mutating func number() throws -> JSON {
        let start = offset
        _ = skip("-")
        let leadingZero = peek == UInt8(ascii: "0")
        let whole = skipDigits()
        guard whole > 0 else { throw error("expected a digit") }
        guard !(leadingZero && whole > 1) else { throw error("a number with a leading zero", at: start) }
        var isInteger = true
        if skip(".") {
            isInteger = false
            guard skipDigits() > 0 else { throw error("expected digits after the point") }
        }
        if skip("e") || skip("E") {
            isInteger = false
            if !skip("+") { _ = skip("-") }
            guard skipDigits() > 0 else { throw error("expected an exponent") }
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isInteger, text != "-0" {
            if let value = Int(text) { return .integer(value) }
            if let value = UInt64(text) { return .unsigned(value) }
        }
        guard let value = Double(text), value.isFinite else { throw error("a number that is too large", at: start) }
        return .number(value)
    }

    private mutating func string() throws -> String {
        let start = offset
        guard skip("\"") else { throw error("expected a string") }
        // Most strings have no escapes, and are what lies there.
        let plain = bytes[offset...].prefix { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        if plain.endIndex < bytes.count, bytes[plain.endIndex] == UInt8(ascii: "\"") {
            offset = plain.endIndex + 1
            guard let text = String(validating: plain, as: UTF8.self) else {
                throw error("a string that is not UTF-8", at: start)
            }
            return text
        }
        var units: [UInt8] = []
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                guard let text = String(validating: units, as: UTF8.self) else {
                    throw error("a string that is not UTF-8", at: start)
                }
                return text
            case UInt8(ascii: "\\"):
                offset += 1
                try escape(into: &units)
            case 0..<0x20: throw error("a control character in a string")
            default:
                units.append(byte)
                offset += 1
            }
        }
        throw error("a string that does not end", at: start)
    }

    private mutating func escape(into units: inout [UInt8]) throws {
        let start = offset - 1
        guard let byte = peek else { throw error("a string that does not end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(byte)
        case UInt8(ascii: "b"): units.append(0x08)
        case UInt8(ascii: "f"): units.append(0x0C)
        case UInt8(ascii: "n"): units.append(0x0A)
        case UInt8(ascii: "r"): units.append(0x0D)
        case UInt8(ascii: "t"): units.append(0x09)
        case UInt8(ascii: "u"): units.append(contentsOf: String(try escapedScalar(start: start)).utf8)
        default: throw error("an unknown escape", at: start)
        }
    }

    /// `XXXX` after `\u`, and the second half of a surrogate pair.
    private mutating func escapedScalar(start: Int) throws -> Unicode.Scalar {
        let first = try hexDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(UInt16(first)), skip("\\"), skip("u") else {
            throw error("half a surrogate pair", at: start)
        }
        let second = try hexDigits()
        guard UTF16.isTrailSurrogate(UInt16(second)),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw error("half a surrogate pair", at: start) }
        return scalar
    }

    /// At most 0xFFFF.
    private mutating func hexDigits() throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("expected four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }

    private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private mutating func skipDigits() -> Int {
        let start = offset
        while let byte = peek, isDigit(byte) { offset += 1 }
        return offset - start
    }

    private mutating func skipWhitespace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private func error(_ problem: String, at position: Int? = nil) -> JSONSyntaxError {
        let before = bytes[..<(position ?? offset)]
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        // A byte 10xxxxxx continues a scalar.
        let column = before[lineStart...].reduce(1) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
        return JSONSyntaxError(
            line: 1 + before.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }, column: column, problem: problem)
    }
}
