import StrictJSON

/// A JSON document whose members are looked up by name: for the headers and configurations that lie beside weights.
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
    /// - Throws: ``TensorFileError`` (`dataLoss`) with the place at which they stop being JSON.
    package init(parsing bytes: FileBytes) throws {
        do { self = try JSONValue(try JSON(parsing: bytes.buffer)) } catch let error as JSONSyntaxError {
            throw TensorFileError(.dataLoss, "\(bytes.name) is \(error)")
        } catch let error as RepeatedKey {
            throw TensorFileError(.dataLoss, "\(bytes.name) is not valid JSON: the key '\(error.key)' comes twice")
        }
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

extension JSONValue {
    /// A value whose members no longer have an order.
    /// - Throws: the key that two members have.
    private init(_ json: JSON) throws(RepeatedKey) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .integer(let value): self = .integer(value)
        case .unsigned(let value): self = .number(Double(value))
        case .number(let value): self = .number(value)
        case .string(let value): self = .string(value)
        case .array(let values):
            var elements: [JSONValue] = []
            elements.reserveCapacity(values.count)
            for value in values { elements.append(try JSONValue(value)) }
            self = .array(elements)
        case .object(let pairs):
            var members: [String: JSONValue] = [:]
            members.reserveCapacity(pairs.count)
            for (key, value) in pairs {
                // The parser tells keys apart by their bytes, a dictionary by what they look like.
                guard members.updateValue(try JSONValue(value), forKey: key) == nil else { throw RepeatedKey(key: key) }
            }
            self = .object(members)
        }
    }

    private struct RepeatedKey: Error { let key: String }
}
