import CProtos

/// Walks over the bytes of a message before protobuf-c sees them.
///
/// protobuf-c checks no UTF-8, and its strings end at a NUL, so a text with one inside would silently lose its end;
/// it follows nested messages without a limit. All of that is refused here, and bytes that are no message at all.
package enum MessageCheck {
    package static let deepest = 32

    package static func check(
        _ bytes: UnsafeRawBufferPointer, _ descriptor: UnsafePointer<ProtobufCMessageDescriptor>, depth: Int = 0
    ) throws {
        guard depth < deepest else {
            let name = String(cString: descriptor.pointee.name)
            throw MessageError(.malformed, "a \(name) is nested deeper than \(deepest) messages")
        }
        var reader = WireReader(bytes, descriptor)
        while !reader.isAtEnd {
            let (number, kind) = try reader.key()
            let field = protobuf_c_message_descriptor_get_field(descriptor, number)
            let value = try reader.value(kind)
            guard let field else { continue }
            try check(value, kind, field.pointee, descriptor, depth)
        }
    }

    private static func check(
        _ value: UnsafeRawBufferPointer, _ kind: WireReader.Kind, _ field: ProtobufCFieldDescriptor,
        _ message: UnsafePointer<ProtobufCMessageDescriptor>, _ depth: Int
    ) throws {
        func refuse(_ problem: String) -> MessageError {
            MessageError(
                .malformed, "\(String(cString: message.pointee.name)).\(String(cString: field.name)) \(problem)")
        }
        let expected = WireReader.Kind(of: field.type)
        let packed =
            kind == .lengthDelimited && field.label == PROTOBUF_C_LABEL_REPEATED && expected != .lengthDelimited
        guard kind == expected || packed else {
            throw refuse("has wire type \(kind.rawValue), expected \(expected.rawValue)")
        }
        switch field.type {
        case PROTOBUF_C_TYPE_STRING:
            guard String(validating: value, as: UTF8.self) != nil else { throw refuse("is not UTF-8") }
            guard !value.contains(0) else { throw refuse("has a NUL character in it") }
        case PROTOBUF_C_TYPE_MESSAGE:
            guard let inner = field.descriptor?.assumingMemoryBound(to: ProtobufCMessageDescriptor.self) else { return }
            try check(value, inner, depth: depth + 1)
        default:
            guard packed else { return }
            var elements = WireReader(value, message, field: field.name)
            while !elements.isAtEnd { _ = try elements.value(expected) }
        }
    }
}

/// The keys and values of a message's bytes.
struct WireReader {
    enum Kind: UInt32 {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5

        init(of type: ProtobufCType) {
            switch type {
            case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_MESSAGE: self = .lengthDelimited
            case PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_SFIXED32, PROTOBUF_C_TYPE_FLOAT: self = .fixed32
            case PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_SFIXED64, PROTOBUF_C_TYPE_DOUBLE: self = .fixed64
            default: self = .varint
            }
        }
    }

    private let bytes: UnsafeRawBufferPointer
    /// What the bytes are, for errors only: a message may have millions of messages in it.
    private let message: UnsafePointer<ProtobufCMessageDescriptor>?
    private let field: UnsafePointer<CChar>?
    private var offset = 0

    /// - Parameter field: where the bytes are the packed elements of one.
    init(
        _ bytes: UnsafeRawBufferPointer, _ message: UnsafePointer<ProtobufCMessageDescriptor>?,
        field: UnsafePointer<CChar>? = nil
    ) {
        self.bytes = bytes
        self.message = message
        self.field = field
    }

    var isAtEnd: Bool { offset >= bytes.count }

    mutating func key() throws -> (number: UInt32, kind: Kind) {
        let start = offset
        let key = try varint()
        let number = key >> 3
        guard (1...0x1FFF_FFFF).contains(number) else { throw error("has the field number \(number)", at: start) }
        guard let kind = Kind(rawValue: UInt32(key & 7)) else { throw error("has wire type \(key & 7)", at: start) }
        return (UInt32(number), kind)
    }

    /// The bytes of a value, without the length before them.
    mutating func value(_ kind: Kind) throws -> UnsafeRawBufferPointer {
        let start = offset
        switch kind {
        case .varint: _ = try varint()
        case .fixed64: try skip(8)
        case .fixed32: try skip(4)
        case .lengthDelimited:
            let length = try varint()
            guard length <= UInt64(bytes.count - offset) else {
                throw error("has a field of \(length) bytes, of which \(bytes.count - offset) are there", at: start)
            }
            let content = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(length)])
            offset += Int(length)
            return content
        }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
    }

    private mutating func varint() throws -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard offset < bytes.count else { throw error("breaks off in a number", at: start) }
            let byte = bytes[offset]
            offset += 1
            if shift == 63, byte > 1 { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw error("has a number of more than 64 bits", at: start)
    }

    private mutating func skip(_ count: Int) throws {
        guard bytes.count - offset >= count else { throw error("breaks off in a number", at: offset) }
        offset += count
    }

    private func error(_ problem: String, at place: Int) -> MessageError {
        let name = message.map { String(cString: $0.pointee.name) } ?? "message"
        let inside = field.map { "." + String(cString: $0) } ?? ""
        return MessageError(.malformed, "a \(name)\(inside) of \(bytes.count) bytes \(problem) at byte \(place)")
    }
}
