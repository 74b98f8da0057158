/// A JSON value that keeps the order of its members, so that results read as they are documented.
package enum JSON: Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    /// An integer above `Int.max`; smaller ones are `integer`.
    case unsigned(UInt64)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    /// RFC 8259 text. Objects and arrays of objects are laid out over lines; arrays of plain values stay on one.
    package var text: String { text(indent: 0) }

    /// The same on one line, without blanks: for lines of JSON and for messages.
    package var compactText: String {
        var out = ""
        writeCompactly(to: &out)
        return out
    }

    private func writeCompactly(to out: inout String) {
        switch self {
        case .array(let values):
            out += "["
            for (index, value) in values.enumerated() {
                if index > 0 { out += "," }
                value.writeCompactly(to: &out)
            }
            out += "]"
        case .object(let members):
            out += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { out += "," }
                Self.quote(member.0, to: &out)
                out += ":"
                member.1.writeCompactly(to: &out)
            }
            out += "}"
        default: write(to: &out, indent: 0)
        }
    }

    /// The text as a part of something larger that is `indent` levels deep.
    package func text(indent: Int) -> String {
        var out = ""
        write(to: &out, indent: indent)
        return out
    }

    private func write(to out: inout String, indent: Int) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .integer(let value): out += String(value)
        case .unsigned(let value): out += String(value)
        // JSON has no NaN and no infinity.
        case .number(let value): out += value.isFinite ? Self.plain(value) : "null"
        case .string(let value): Self.quote(value, to: &out)
        case .array(let values) where values.allSatisfy(\.isPlain):
            out += "["
            for (index, value) in values.enumerated() {
                if index > 0 { out += ", " }
                value.write(to: &out, indent: indent)
            }
            out += "]"
        case .array(let values):
            Self.lines("[", values, "]", to: &out, indent: indent) { $0.write(to: &$1, indent: $2) }
        case .object(let members):
            Self.lines("{", members, "}", to: &out, indent: indent) {
                Self.quote($0.0, to: &$1)
                $1 += ": "
                $0.1.write(to: &$1, indent: $2)
            }
        }
    }

    private var isPlain: Bool {
        switch self {
        case .array, .object: false
        default: true
        }
    }

    private static func lines<Item>(
        _ opening: String, _ items: [Item], _ closing: String, to out: inout String, indent: Int,
        _ write: (Item, inout String, Int) -> Void
    ) {
        guard !items.isEmpty else { return out += opening + closing }
        let margin = String(repeating: "  ", count: indent + 1)
        out += opening
        for (index, item) in items.enumerated() {
            out += (index > 0 ? ",\n" : "\n") + margin
            write(item, &out, indent + 1)
        }
        out += "\n" + margin.dropLast(2) + closing
    }

    /// The shortest text that reads back as the same number; whole ones without an exponent.
    private static func plain(_ value: Double) -> String { "\(value)" }

    private static func quote(_ text: String, to out: inout String) {
        out += "\""
        defer { out += "\"" }
        // Nearly all texts stay as they are.
        let isPlain = text.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C }
        if isPlain {
            out += text
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(dictionaryLiteral elements: (String, JSON)...) { self = .object(elements) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
}
