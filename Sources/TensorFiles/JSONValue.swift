/// A JSON document (RFC 8259), read strictly and with bounds: for the headers and configurations that lie beside
/// weights, which may come from anywhere.
///
/// Unlike Foundation's readers it refuses an object that has a key twice (a header that names a tensor twice means
/// nothing good), keeps integers exact, and needs no Foundation.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number written without fraction or exponent that fits.
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The value that `bytes` spell.
    /// - Throws: ``TensorFileError`` (`dataLoss`) with the byte at which they stop being JSON.
    package init(parsing bytes: FileBytes) throws {
        var parser = JSONParser(bytes)
        self = try parser.document()
    }

    package var int: Int? { if case .integer(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    package var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
    package var isNull: Bool { self == .null }

    /// All elements as integers; nil where this is no array or has anything else in it.
    package var ints: [Int]? {
        guard let array else { return nil }
        let ints = array.compactMap(\.int)
        return ints.count == array.count ? ints : nil
    }

    /// An object of strings, as text, its keys sorted.
    package static func object(_ members: [String: String]) -> String {
        let pairs = members.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
        return "{\(pairs.joined(separator: ","))}"
    }

    /// `text` as a JSON string in ASCII, quotation marks included.
    package static func quoted(_ text: String) -> String {
        var out = "\""
        for unit in text.utf16 {
            switch unit {
            case 0x22: out += "\\\""
            case 0x5C: out += "\\\\"
            case 0x0A: out += "\\n"
            case 0x20...0x7E: out.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default:
                let digits = String(unit, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return out + "\""
    }
}

private struct JSONParser {
    /// Deeper nesting than any header or tokenizer has, and shallow enough for any stack.
    private static let maximumDepth = 64

    private let bytes: FileBytes
    private var offset = 0
    private var depth = 0

    init(_ bytes: FileBytes) { self.bytes = bytes }

    mutating func document() throws -> JSONValue {
        let value = try value()
        skipWhitespace()
        guard peek == nil else { throw error("expected nothing after the value") }
        return value
    }

    private mutating func value() throws -> JSONValue {
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
        default: throw error("expected a value")
        }
    }

    private mutating func nested(_ body: (inout JSONParser) throws -> JSONValue) throws -> JSONValue {
        depth += 1
        guard depth <= Self.maximumDepth else { throw error("nested deeper than \(Self.maximumDepth) levels") }
        offset += 1  // the bracket
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func members() throws -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        skipWhitespace()
        if skip("}") { return members }
        repeat {
            skipWhitespace()
            let key = try string()
            skipWhitespace()
            guard skip(":") else { throw error("expected a colon") }
            let value = try value()
            guard members.updateValue(value, forKey: key) == nil else { throw error("the key '\(key)' comes twice") }
            skipWhitespace()
        } while skip(",")
        guard skip("}") else { throw error("expected a comma or a closing brace") }
        return members
    }

    private mutating func elements() throws -> [JSONValue] {
        var elements: [JSONValue] = []
        skipWhitespace()
        if skip("]") { return elements }
        repeat {
            elements.append(try value())
            skipWhitespace()
        } while skip(",")
        guard skip("]") else { throw error("expected a comma or a closing bracket") }
        return elements
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws -> JSONValue {
        for i in 0..<text.utf8CodeUnitCount {
            guard peek == text.utf8Start[i] else { throw error("expected '\(text)'") }
            offset += 1
        }
        return value
    }

    private mutating func number() throws -> JSONValue {
        let start = offset
        _ = skip("-")
        let leadingZero = peek == UInt8(ascii: "0")
        let whole = skipDigits()
        guard whole > 0, !(leadingZero && whole > 1) else { throw error("expected a number") }
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
        let text = String(decoding: bytes.buffer[start..<offset], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw error("the number \(text) is too large") }
        return .number(value)
    }

    private mutating func string() throws -> String {
        guard skip("\"") else { throw error("expected a string") }
        let start = offset
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { offset += 1 }
        if peek == UInt8(ascii: "\"") {  // most strings have no escapes
            defer { offset += 1 }
            return try text(bytes.buffer[start..<offset])
        }
        return try escapedString(Array(bytes.buffer[start..<offset]))
    }

    private mutating func escapedString(_ prefix: [UInt8]) throws -> String {
        var units = prefix
        while let byte = peek {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""): return try text(units)
            case UInt8(ascii: "\\"): try escape(into: &units)
            case 0..<0x20: throw error("a control character in a string")
            default: units.append(byte)
            }
        }
        throw error("a string that does not end")
    }

    private mutating func escape(into units: inout [UInt8]) throws {
        guard let byte = peek else { throw error("a string that does not end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(byte)
        case UInt8(ascii: "b"): units.append(0x08)
        case UInt8(ascii: "f"): units.append(0x0C)
        case UInt8(ascii: "n"): units.append(0x0A)
        case UInt8(ascii: "r"): units.append(0x0D)
        case UInt8(ascii: "t"): units.append(0x09)
        case UInt8(ascii: "u"): units.append(contentsOf: String(try escapedScalar()).utf8)
        default: throw error("an unknown escape")
        }
    }

    /// `XXXX` after `\u`, and the second half of a surrogate pair.
    private mutating func escapedScalar() throws -> Unicode.Scalar {
        let first = try hexDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(UInt16(first)), skip("\\"), skip("u") else { throw error("half a surrogate pair") }
        let second = try hexDigits()
        guard UTF16.isTrailSurrogate(UInt16(second)),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw error("half a surrogate pair") }
        return scalar
    }

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

    private func text(_ units: some Collection<UInt8>) throws -> String {
        guard let text = String(validating: units, as: UTF8.self) else { throw error("a string that is not UTF-8") }
        return text
    }

    private var peek: UInt8? { offset < bytes.count ? bytes.buffer[offset] : nil }

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

    private func error(_ problem: String) -> TensorFileError {
        TensorFileError(.dataLoss, "\(bytes.name) is not valid JSON: \(problem) at byte \(offset)")
    }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
