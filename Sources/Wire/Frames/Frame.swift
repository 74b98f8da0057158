import NIOCore

/// ttRPC's unit of transfer: ten bytes of header, big-endian, and at most 4 MiB of data.
///
///     length u32 · stream id u32 · type u8 · flags u8
struct Frame: Sendable, Equatable {
    static let headerSize = 10
    /// The most data of one frame, 4 MiB.
    static let longest = 4 << 20

    /// An open set: frames of a type that is not known are passed over.
    struct Kind: RawRepresentable, Hashable, Sendable {
        let rawValue: UInt8
        static let request = Kind(rawValue: 1)
        static let response = Kind(rawValue: 2)
        static let data = Kind(rawValue: 3)
    }

    struct Flags: OptionSet, Hashable, Sendable {
        let rawValue: UInt8
        /// The sender sends no more on this stream.
        static let remoteClosed = Flags(rawValue: 1)
        /// The sender will send data on this stream.
        static let remoteOpen = Flags(rawValue: 2)
        /// The data are none, as opposed to an empty message.
        static let noData = Flags(rawValue: 4)
    }

    /// The header; its length may be past ``longest`` where a peer does not keep to the rules.
    struct Header: Sendable, Equatable {
        var length: UInt32
        var stream: UInt32
        var kind: Kind
        var flags: Flags
    }

    var stream: UInt32
    var kind: Kind
    var flags: Flags
    var data: ByteBuffer
}

extension ByteBuffer {
    mutating func readFrameHeader() -> Frame.Header? {
        guard let (length, stream, kind, flags) = readMultipleIntegers(as: (UInt32, UInt32, UInt8, UInt8).self) else {
            return nil
        }
        return Frame.Header(
            length: length, stream: stream, kind: Frame.Kind(rawValue: kind), flags: Frame.Flags(rawValue: flags))
    }

    /// Puts another stream id into the frame that begins here.
    mutating func setStream(_ stream: UInt32) { setInteger(stream, at: readerIndex + 4) }

    mutating func writeFrameHeader(_ header: Frame.Header) {
        writeMultipleIntegers(header.length, header.stream, header.kind.rawValue, header.flags.rawValue)
    }
}
