import CProtos

/// A protobuf message as a Swift value, read and packed by protobuf-c.
///
/// The conformances are generated. Bytes from outside come in through ``init(serialized:)``, which refuses what
/// protobuf-c would take silently: text that is not UTF-8 or has a NUL in it, messages nested without end, and sizes
/// that would fill the memory.
public protocol ProtoMessage: Hashable, Sendable {
    /// protobuf-c's struct, whose first member is its `ProtobufCMessage`.
    associatedtype C

    /// With the package: `auscult.v1.JobInfo`.
    static var fullName: String { get }
    init()
    /// A struct as protobuf-c initialises it.
    static func makeC() -> C
    /// Copies a struct that protobuf-c unpacked from checked bytes.
    init(_ c: C)
    /// Fills an initialised struct; what it points at lives as long as `arena`.
    func fill(_ c: inout C, _ arena: MessageArena)
}

extension ProtoMessage {
    /// Reads a message.
    /// - Throws: ``MessageError`` for bytes that are no message of this type.
    public init(serialized bytes: UnsafeRawBufferPointer) throws {
        try MessageCheck.check(bytes, Self.descriptor)
        var memory = Unpacking.Memory(budget: Unpacking.budget(forSize: bytes.count))
        self = try Unpacking.unpack(bytes, as: Self.self, memory: &memory)
    }

    /// Reads a message.
    /// - Throws: ``MessageError`` for bytes that are no message of this type.
    public init(serialized bytes: [UInt8]) throws { self = try bytes.withUnsafeBytes(Self.init(serialized:)) }

    /// The message as protobuf's wire format has it.
    ///
    /// protobuf-c's strings end at a NUL, so one inside a text becomes U+FFFD.
    public func serialized() -> [UInt8] {
        packed { size, write in
            [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                if let base = buffer.baseAddress { count = write(base) }
            }
        }
    }

    /// Bytes that the message takes on the wire.
    public var packedSize: Int { packed { size, _ in size } }

    /// Calls `body` with the bytes that the message takes on the wire, and with what writes so many to an address and
    /// gives their number.
    public func packed<R>(
        _ body: (_ size: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) throws -> R
    ) rethrows -> R {
        let arena = MessageArena()
        defer { withExtendedLifetime(arena) {} }
        var c = Self.makeC()
        fill(&c, arena)
        return try withUnsafePointer(to: &c) { pointer in
            let message = UnsafeRawPointer(pointer).assumingMemoryBound(to: ProtobufCMessage.self)
            return try body(protobuf_c_message_get_packed_size(message)) { protobuf_c_message_pack(message, $0) }
        }
    }

    /// protobuf-c's description of the type; a constant of the program.
    package static var descriptor: UnsafePointer<ProtobufCMessageDescriptor> {
        withUnsafeBytes(of: makeC()) { $0.loadUnaligned(as: ProtobufCMessage.self).descriptor }
    }
}

/// Bytes that are no message of the type that was expected.
public struct MessageError: Error, Sendable, CustomStringConvertible {
    /// What would not fit into memory is a different matter from what makes no sense.
    public enum Kind: Sendable { case malformed, tooLarge }

    public let kind: Kind
    public let message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }
}

/// Copies what protobuf-c's structs point at.
enum Read {
    static func text(_ c: UnsafePointer<CChar>?) -> String { c.map { String(cString: $0) } ?? "" }

    static func bytes(_ c: ProtobufCBinaryData) -> [UInt8] {
        guard let data = c.data, c.len > 0 else { return [] }
        return Array(UnsafeBufferPointer(start: data, count: c.len))
    }

    static func message<M: ProtoMessage>(_ c: UnsafeMutablePointer<M.C>?) -> M? { c.map { M($0.pointee) } }

    static func messages<M: ProtoMessage>(
        _ c: UnsafeMutablePointer<UnsafeMutablePointer<M.C>?>?, _ count: Int
    ) -> [M] {
        guard let c else { return [] }
        return UnsafeBufferPointer(start: c, count: count).compactMap { $0.map { M($0.pointee) } }
    }

    static func array<C, Element>(
        _ c: UnsafeMutablePointer<C>?, _ count: Int, _ element: (C) -> Element
    ) -> [Element] {
        guard let c else { return [] }
        return UnsafeBufferPointer(start: c, count: count).map(element)
    }
}
