import Foundation
import StrictJSON

extension ProtoWriter {
    /// A value of a scalar kind as it follows its tag.
    mutating func scalar(_ json: JSON, _ kind: FieldDescriptor.Kind) throws {
        switch kind {
        case .int32: varint(UInt64(bitPattern: Int64(try json.signed(Int32.self, kind))))
        case .int64: varint(UInt64(bitPattern: try json.signed(Int64.self, kind)))
        case .sint32: varint(ProtoWriter.zigzag(Int64(try json.signed(Int32.self, kind))))
        case .sint64: varint(ProtoWriter.zigzag(try json.signed(Int64.self, kind)))
        case .uint32: varint(UInt64(try json.unsigned(UInt32.self, kind)))
        case .uint64: varint(try json.unsigned(UInt64.self, kind))
        case .fixed32: fixed32(try json.unsigned(UInt32.self, kind))
        case .fixed64: fixed64(try json.unsigned(UInt64.self, kind))
        case .sfixed32: fixed32(UInt32(bitPattern: try json.signed(Int32.self, kind)))
        case .sfixed64: fixed64(UInt64(bitPattern: try json.signed(Int64.self, kind)))
        case .double: fixed64(try json.double(kind).bitPattern)
        case .float:
            let double = try json.double(kind)
            let float = Float(double)
            guard float.isFinite || !double.isFinite else { throw json.misfit("a float of at most ±3.4028235e38") }
            fixed32(float.bitPattern)
        case .bool:
            guard case .bool(let value) = json else { throw json.misfit("true or false") }
            varint(value ? 1 : 0)
        case .string:
            guard case .string(let text) = json else { throw json.misfit("a string") }
            lengthDelimited(text.utf8)
        case .bytes: lengthDelimited(try json.base64())
        case .message, .group, .enumeration: throw Misfit("\(kind.keyword) is no scalar")
        }
    }
}

extension ProtoReader {
    /// A value of a scalar kind after its tag, in JSON's terms.
    mutating func scalar(_ kind: FieldDescriptor.Kind) throws -> JSON {
        switch kind {
        case .int32: .integer(Int(Int32(truncatingIfNeeded: try varint())))
        case .int64: .string(String(Int64(bitPattern: try varint())))
        case .sint32: .integer(Int(Int32(truncatingIfNeeded: ProtoReader.zigzag(try varint() & 0xFFFF_FFFF))))
        case .sint64: .string(String(ProtoReader.zigzag(try varint())))
        case .uint32: .integer(Int(UInt32(truncatingIfNeeded: try varint())))
        case .uint64: .string(String(try varint()))
        case .fixed32: .integer(Int(try fixed32()))
        case .fixed64: .string(String(try fixed64()))
        case .sfixed32: .integer(Int(Int32(bitPattern: try fixed32())))
        case .sfixed64: .string(String(Int64(bitPattern: try fixed64())))
        case .double: JSON(proto: Double(bitPattern: try fixed64()))
        case .float: JSON(proto: Float(bitPattern: try fixed32()))
        case .bool: .bool(try varint() != 0)
        case .string: .string(try text())
        case .bytes: JSON(base64: try lengthDelimited())
        case .message, .group, .enumeration: throw Misfit("\(kind.keyword) is no scalar")
        }
    }

    private mutating func text() throws -> String {
        guard let text = String(validating: try lengthDelimited(), as: UTF8.self) else {
            throw Misfit("a string that is not UTF-8")
        }
        return text
    }
}

extension FieldDescriptor.Kind {
    /// What stands for an absent value of a scalar kind in JSON.
    package var zero: JSON {
        switch self {
        case .int64, .uint64, .sint64, .fixed64, .sfixed64: .string("0")
        case .double, .float: .number(0)
        case .bool: .bool(false)
        case .string, .bytes: .string("")
        default: .integer(0)
        }
    }
}

extension JSON {
    /// Bytes, with the standard alphabet and padding.
    package init(base64 bytes: ArraySlice<UInt8>) { self = .string(Data(bytes).base64EncodedString()) }

    fileprivate init(proto value: Double) {
        self = value.isFinite ? .number(value) : .string(Self.name(of: value))
    }

    /// The shortest digits that are this float, which are fewer than those of the same double.
    fileprivate init(proto value: Float) {
        self = value.isFinite ? .number(Double("\(value)") ?? Double(value)) : .string(Self.name(of: Double(value)))
    }

    private static func name(of value: Double) -> String {
        value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
    }

    fileprivate func signed<Value: FixedWidthInteger>(_: Value.Type, _ kind: FieldDescriptor.Kind) throws -> Value {
        guard let value = signed.flatMap(Value.init(exactly:)) else { throw integerMisfit(Value.self, kind) }
        return value
    }

    fileprivate func unsigned<Value: FixedWidthInteger>(_: Value.Type, _ kind: FieldDescriptor.Kind) throws -> Value {
        guard let value = unsigned.flatMap(Value.init(exactly:)) else { throw integerMisfit(Value.self, kind) }
        return value
    }

    private func integerMisfit<Value: FixedWidthInteger>(_: Value.Type, _ kind: FieldDescriptor.Kind) -> Misfit {
        misfit("\(kind.keyword.hasPrefix("i") ? "an" : "a") \(kind.keyword) (\(Value.min) to \(Value.max))")
    }

    /// The integer that a number or a string of digits is.
    var signed: Int64? {
        switch self {
        case .integer(let value): Int64(value)
        case .number(let value): Int64(exactly: value)
        case .string(let text) where !text.hasPrefix("+"): Int64(text)
        default: nil
        }
    }

    private var unsigned: UInt64? {
        switch self {
        case .integer(let value): UInt64(exactly: value)
        case .unsigned(let value): value
        case .number(let value): UInt64(exactly: value)
        case .string(let text) where !text.hasPrefix("+"): UInt64(text)
        default: nil
        }
    }

    fileprivate func double(_ kind: FieldDescriptor.Kind) throws -> Double {
        switch self {
        case .integer(let value): return Double(value)
        case .unsigned(let value): return Double(value)
        case .number(let value): return value
        case .string("NaN"): return .nan
        case .string("Infinity"): return .infinity
        case .string("-Infinity"): return -.infinity
        // A string that would be a number of JSON is one.
        case .string(let text):
            switch try? JSON(parsing: text) {
            case .integer(let value): return Double(value)
            case .unsigned(let value): return Double(value)
            case .number(let value): return value
            default: break
            }
        default: break
        }
        throw misfit("a \(kind.keyword), \"NaN\", \"Infinity\" or \"-Infinity\"")
    }

    /// The bytes of base64, standard or URL-safe, with or without its padding.
    package func base64() throws -> [UInt8] {
        guard case .string(let text) = self else { throw misfit("bytes in base64") }
        var standard = text.utf8.map {
            $0 == UInt8(ascii: "-") ? UInt8(ascii: "+") : $0 == UInt8(ascii: "_") ? 0x2F : $0
        }
        if text.hasSuffix("==") { standard.removeLast(2) } else if text.hasSuffix("=") { standard.removeLast() }
        let padding = [UInt8](repeating: UInt8(ascii: "="), count: (4 - standard.count % 4) % 4)
        guard padding.count < 3, !standard.contains(UInt8(ascii: "=")),
            text.utf8.count % 4 == 0 || !text.hasSuffix("="),
            let data = Data(base64Encoded: Data(standard + padding))
        else { throw misfit("bytes in base64") }
        return Array(data)
    }

    func misfit(_ expected: String) -> Misfit { Misfit("expected \(expected), found \(briefly)") }

    /// The value in a few words, for errors.
    var briefly: String {
        switch self {
        case .object: "an object"
        case .array: "a list"
        case .string(let text) where text.utf8.count > 60: "a string of \(text.utf8.count) bytes"
        default: compactText
        }
    }
}
