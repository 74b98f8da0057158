/// Reads what ``StateEncoder`` has written.
public enum StateDecoder {
    /// - Throws: ``PluginError`` (`invalidArgument`) where the bytes are damaged or of something else.
    public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        do {
            return try StateValueDecoder(value: StateValue(bytes), codingPath: []).decode(type)
        } catch let error as DecodingError {
            throw PluginError(.invalidArgument, "the saved state does not fit: \(sentence(error))")
        }
    }

    private static func sentence(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            let place = context.codingPath.map(\.stringValue).joined(separator: ".")
            return context.debugDescription + (place.isEmpty ? "" : " at \(place)")
        @unknown default: return "\(error)"
        }
    }
}

struct StateValueDecoder: Decoder, SingleValueDecodingContainer {
    let value: StateValue
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .map(let map) = value else { throw mismatch(keyedBy, "a map") }
        return KeyedDecodingContainer(StateMapDecoder(map: map, codingPath: codingPath))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let array) = value else { throw mismatch([Any].self, "an array") }
        return StateArrayDecoder(array: array, codingPath: codingPath)
    }
    func singleValueContainer() -> any SingleValueDecodingContainer { self }
    func decodeNil() -> Bool { if case .null = value { true } else { false } }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        // In two steps: nothing at all can be cast to an optional, and would be taken for its nil.
        guard let plain = try plain(type) else { return try Value(from: self) }
        guard let value = plain as? Value else { throw mismatch(type, "\(type)") }
        return value
    }

    /// The values that are no containers; nil for a type that is one.
    private func plain(_ type: any Decodable.Type) throws -> Any? {
        switch (type, value) {
        case (is Bool.Type, .boolean(let value)): return value
        case (is String.Type, .text(let value)): return value
        case (is Double.Type, .double(let value)): return value
        case (is Float.Type, .float(let value)): return value
        case (is [UInt8].Type, .bytes(let value)): return Array(value)
        case (is [Double].Type, .numbers(.double, let bytes)): return numbers(bytes) as [Double]
        case (is [Float].Type, .numbers(.float, let bytes)): return numbers(bytes) as [Float]
        case (is [Int].Type, .numbers(.int64, let bytes)): return numbers(bytes) as [Int]
        case (is [Int64].Type, .numbers(.int64, let bytes)): return numbers(bytes) as [Int64]
        case (is [Int32].Type, .numbers(.int32, let bytes)): return numbers(bytes) as [Int32]
        case (let type as any FixedWidthInteger.Type, _): return try integer(type)
        case (is Bool.Type, _), (is String.Type, _), (is Double.Type, _), (is Float.Type, _), (is [UInt8].Type, _),
            (is [Double].Type, _), (is [Float].Type, _), (is [Int].Type, _), (is [Int64].Type, _), (is [Int32].Type, _):
            throw mismatch(type, "\(type)")
        default: return nil
        }
    }

    private func integer<Number: FixedWidthInteger>(_ type: Number.Type) throws -> Number {
        switch value {
        case .positive(let number): if let number = Number(exactly: number) { return number }
        case .negative(let number):
            if let number = Int64(exactly: number).flatMap({ Number(exactly: -1 - $0) }) { return number }
        default: break
        }
        throw mismatch(type, "\(type)")
    }

    private func numbers<Number: BitwiseCopyable & ExpressibleByIntegerLiteral>(
        _ bytes: ArraySlice<UInt8>
    ) -> [Number] {
        let count = bytes.count / MemoryLayout<Number>.size
        var numbers = [Number](repeating: 0, count: count)
        numbers.withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
        return numbers
    }

    func mismatch(_ type: Any.Type, _ expected: String) -> DecodingError {
        .typeMismatch(
            type, .init(codingPath: codingPath, debugDescription: "\(expected) expected, \(value.kind) came"))
    }
}

private struct StateMapDecoder<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let map: [String: StateValue]
    let codingPath: [any CodingKey]

    var allKeys: [Key] { map.keys.sorted().compactMap(Key.init(stringValue:)) }
    func contains(_ key: Key) -> Bool { map[key.stringValue] != nil }

    private func child(_ key: any CodingKey) throws -> StateValueDecoder {
        guard let value = map[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: codingPath, debugDescription: "\"\(key.stringValue)\" is missing"))
        }
        return StateValueDecoder(value: value, codingPath: codingPath + [key])
    }

    func decodeNil(forKey key: Key) throws -> Bool { try child(key).decodeNil() }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try child(key).decode(type) }
    func nestedContainer<Nested: CodingKey>(
        keyedBy: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { try child(key).container(keyedBy: keyedBy) }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try child(key).unkeyedContainer()
    }
    func superDecoder() throws -> any Decoder { try child(SuperKey()) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try child(key) }
}

private struct StateArrayDecoder: UnkeyedDecodingContainer {
    let array: [StateValue]
    let codingPath: [any CodingKey]
    var currentIndex = 0

    var count: Int? { array.count }
    var isAtEnd: Bool { currentIndex >= array.count }

    private mutating func next() throws -> StateValueDecoder {
        guard !isAtEnd else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: codingPath, debugDescription: "an array ends after \(array.count) elements"))
        }
        defer { currentIndex += 1 }
        return StateValueDecoder(value: array[currentIndex], codingPath: codingPath)
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, case .null = array[currentIndex] else { return false }
        currentIndex += 1
        return true
    }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next().decode(type) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        try next().container(keyedBy: keyedBy)
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { try next() }
}
