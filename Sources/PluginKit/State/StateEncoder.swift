/// Writes a value as CBOR (RFC 8949): deterministic, numbers to the bit.
///
/// Structs are maps with sorted keys, arrays of numbers are typed arrays (RFC 8746), little-endian, so a million numbers
/// cost a copy. Sets, and dictionaries whose keys are neither strings nor integers, have no order of their own: what is
/// to be saved bit for bit the same each time puts them in one first.
public enum StateEncoder {
    public static func encode(_ value: some Encodable) throws -> [UInt8] {
        let node = StateNode()
        try node.store(value, at: [])
        var bytes: [UInt8] = []
        node.write(to: &bytes)
        return bytes
    }
}

/// A value that is being encoded.
final class StateNode {
    enum Content {
        case null
        case bytes([UInt8])
        case array([StateNode])
        case map([String: StateNode])
    }

    var content = Content.null

    /// CBOR's head: a major type and its argument in the fewest bytes.
    static func head(_ major: UInt8, _ argument: UInt64) -> [UInt8] {
        let type = major << 5
        switch argument {
        case ..<24: return [type | UInt8(argument)]
        case ..<0x100: return [type | 24, UInt8(argument)]
        case ..<0x1_0000: return [type | 25] + bigEndian(UInt16(argument))
        case ..<0x1_0000_0000: return [type | 26] + bigEndian(UInt32(argument))
        default: return [type | 27] + bigEndian(argument)
        }
    }

    static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian, Array.init)
    }

    func write(to bytes: inout [UInt8]) {
        switch content {
        case .null: bytes.append(0xF6)
        case .bytes(let own): bytes += own
        case .array(let nodes):
            bytes += Self.head(4, UInt64(nodes.count))
            for node in nodes { node.write(to: &bytes) }
        case .map(let nodes):
            bytes += Self.head(5, UInt64(nodes.count))
            for (key, node) in nodes.sorted(by: { $0.key < $1.key }) {
                bytes += Self.text(key)
                node.write(to: &bytes)
            }
        }
    }

    static func text(_ text: String) -> [UInt8] { head(3, UInt64(text.utf8.count)) + Array(text.utf8) }
}

// MARK: - Values

extension StateNode {
    func store(_ value: some Encodable, at path: [any CodingKey]) throws {
        // Any empty array can be cast to any other, so arrays are told by their type.
        let type: Any.Type = Swift.type(of: value)
        switch value {
        case let value as Bool: content = .bytes([value ? 0xF5 : 0xF4])
        case let value as String: content = .bytes(Self.text(value))
        case let value as Double: content = .bytes([0xFB] + Self.bigEndian(value.bitPattern))
        case let value as Float: content = .bytes([0xFA] + Self.bigEndian(value.bitPattern))
        case let value as any FixedWidthInteger: content = .bytes(try Self.integer(value, path))
        case let value as [UInt8] where type == [UInt8].self:
            content = .bytes(Self.head(2, UInt64(value.count)) + value)
        case let value as [Double] where type == [Double].self: store(numbers: value, .double)
        case let value as [Float] where type == [Float].self: store(numbers: value, .float)
        case let value as [Int] where type == [Int].self: store(numbers: value, .int64)
        case let value as [Int64] where type == [Int64].self: store(numbers: value, .int64)
        case let value as [Int32] where type == [Int32].self: store(numbers: value, .int32)
        default: try value.encode(to: StateValueEncoder(node: self, codingPath: path))
        }
    }

    private func store<Number>(numbers: [Number], _ type: TypedArray) {
        content = .bytes(
            numbers.withUnsafeBytes {
                Self.head(6, type.rawValue) + Self.head(2, UInt64($0.count)) + Array($0)
            })
    }

    private static func integer(_ value: any FixedWidthInteger, _ path: [any CodingKey]) throws -> [UInt8] {
        if let positive = UInt64(exactly: value) { return head(0, positive) }
        if let negative = Int64(exactly: value) { return head(1, UInt64(-1 - negative)) }
        throw EncodingError.invalidValue(value, .init(codingPath: path, debugDescription: "an integer beyond 64 bits"))
    }
}

/// Tags of arrays of numbers of one kind, little-endian.
enum TypedArray: UInt64 {
    case float = 85, double = 86, int32 = 78, int64 = 79
}

// MARK: - Codable's side

struct StateValueEncoder: Encoder, SingleValueEncodingContainer {
    let node: StateNode
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .map = node.content {} else { node.content = .map([:]) }
        return KeyedEncodingContainer(StateMapEncoder(node: node, codingPath: codingPath))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .array = node.content {} else { node.content = .array([]) }
        return StateArrayEncoder(node: node, codingPath: codingPath)
    }
    func singleValueContainer() -> any SingleValueEncodingContainer { self }
    func encodeNil() { node.content = .null }
    func encode(_ value: some Encodable) throws { try node.store(value, at: codingPath) }
}

private struct StateMapEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: StateNode
    let codingPath: [any CodingKey]

    private func child(_ key: any CodingKey) -> StateNode {
        let child = StateNode()
        if case .map(var nodes) = node.content {
            node.content = .null  // so that the dictionary is not copied
            nodes[key.stringValue] = child
            node.content = .map(nodes)
        }
        return child
    }

    mutating func encodeNil(forKey key: Key) { _ = child(key) }
    mutating func encode(_ value: some Encodable, forKey key: Key) throws {
        try child(key).store(value, at: codingPath + [key])
    }
    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        StateValueEncoder(node: child(key), codingPath: codingPath + [key]).container(keyedBy: keyedBy)
    }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        StateValueEncoder(node: child(key), codingPath: codingPath + [key]).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { StateValueEncoder(node: child(SuperKey()), codingPath: codingPath) }
    mutating func superEncoder(forKey key: Key) -> any Encoder {
        StateValueEncoder(node: child(key), codingPath: codingPath + [key])
    }
}

private struct StateArrayEncoder: UnkeyedEncodingContainer {
    let node: StateNode
    let codingPath: [any CodingKey]
    var count: Int { if case .array(let nodes) = node.content { nodes.count } else { 0 } }

    private func child() -> StateNode {
        let child = StateNode()
        if case .array(var nodes) = node.content {
            node.content = .null
            nodes.append(child)
            node.content = .array(nodes)
        }
        return child
    }

    mutating func encodeNil() { _ = child() }
    mutating func encode(_ value: some Encodable) throws { try child().store(value, at: codingPath) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) -> KeyedEncodingContainer<Nested> {
        StateValueEncoder(node: child(), codingPath: codingPath).container(keyedBy: keyedBy)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        StateValueEncoder(node: child(), codingPath: codingPath).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { StateValueEncoder(node: child(), codingPath: codingPath) }
}

/// The key of a class's superclass.
struct SuperKey: CodingKey {
    var stringValue: String { "super" }
    var intValue: Int? { nil }
    init() {}
    init?(stringValue: String) {}
    init?(intValue: Int) { nil }
}
