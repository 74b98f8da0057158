/// CBOR as ``StateEncoder`` writes it, read. The bytes may be damaged: each length is held against what is left, and
/// depth is bounded.
enum StateValue {
    case null
    case boolean(Bool)
    case positive(UInt64)
    /// −1 − n.
    case negative(UInt64)
    case float(Float)
    case double(Double)
    case text(String)
    case bytes(ArraySlice<UInt8>)
    case numbers(TypedArray, ArraySlice<UInt8>)
    case array([StateValue])
    case map([String: StateValue])

    /// - Throws: ``PluginError`` (`invalidArgument`) that says at which byte what is wrong.
    init(_ bytes: [UInt8]) throws {
        var reader = StateReader(rest: bytes[...])
        self = try reader.value(depth: 0)
        guard reader.rest.isEmpty else { throw reader.damaged("\(reader.rest.count) bytes are left over") }
    }

    var kind: String {
        switch self {
        case .null: "nothing"
        case .boolean: "a truth value"
        case .positive, .negative: "an integer"
        case .float, .double: "a number"
        case .text: "text"
        case .bytes: "bytes"
        case .numbers: "numbers"
        case .array: "an array"
        case .map: "a map"
        }
    }
}

private struct StateReader {
    var rest: ArraySlice<UInt8>

    func damaged(_ why: String) -> PluginError {
        PluginError(.invalidArgument, "the saved state is damaged at byte \(rest.startIndex): \(why)")
    }

    private mutating func take(_ count: UInt64) throws -> ArraySlice<UInt8> {
        guard count <= UInt64(rest.count) else { throw damaged("\(count) bytes expected, \(rest.count) are left") }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }

    private mutating func argument(_ short: UInt8) throws -> UInt64 {
        guard short >= 24 else { return UInt64(short) }
        guard short < 28 else { throw damaged("a length of kind \(short)") }
        return try take(1 << UInt64(short - 24)).reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func value(depth: Int) throws -> StateValue {
        guard depth < 64 else { throw damaged("it is nested more than 64 deep") }
        let first = try take(1).first ?? 0
        let (major, short) = (first >> 5, first & 31)
        let number = try argument(short)
        switch major {
        case 0: return .positive(number)
        case 1: return .negative(number)
        case 2: return .bytes(try take(number))
        case 3:
            guard let text = String(validating: try take(number), as: UTF8.self) else {
                throw damaged("text is no UTF-8")
            }
            return .text(text)
        case 4:
            // An element has a byte at least, so this bounds what a damaged count can ask for.
            guard number <= UInt64(rest.count) else { throw damaged("an array of \(number) elements") }
            return .array(try (0..<number).map { _ in try value(depth: depth + 1) })
        case 5:
            guard number <= UInt64(rest.count) else { throw damaged("a map of \(number) entries") }
            var map: [String: StateValue] = [:]
            for _ in 0..<number {
                guard case .text(let key) = try value(depth: depth + 1) else { throw damaged("a key is no text") }
                map[key] = try value(depth: depth + 1)
            }
            return .map(map)
        case 6:
            guard let type = TypedArray(rawValue: number) else { throw damaged("the tag \(number)") }
            guard case .bytes(let bytes) = try value(depth: depth + 1), bytes.count % type.size == 0 else {
                throw damaged("numbers have to be bytes, \(type.size) each")
            }
            return .numbers(type, bytes)
        default: return try simple(short, number)
        }
    }

    private func simple(_ short: UInt8, _ number: UInt64) throws -> StateValue {
        switch short {
        case 20: .boolean(false)
        case 21: .boolean(true)
        case 22: .null
        case 26: .float(Float(bitPattern: UInt32(truncatingIfNeeded: number)))
        case 27: .double(Double(bitPattern: number))
        default: throw damaged("a value of kind \(short)")
        }
    }
}

extension TypedArray {
    var size: Int {
        switch self {
        case .float, .int32: 4
        case .double, .int64: 8
        }
    }
}
