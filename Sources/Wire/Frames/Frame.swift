import NIOCore

/// ttRPC's unit of transfer: ten bytes of header, big-endian, and at most 4 MiB of data.
///
///     length u32 · stream id u32 · type u8 · flags u8
package struct Frame: Sendable, Equatable {
    package static let headerSize = 10
    /// The most data of one frame, 4 MiB.
    package static let longest = 4 << 20

    /// An open set: frames of a type that is not known are passed over.
    package struct Kind: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let request = Kind(rawValue: 1)
        package static let response = Kind(rawValue: 2)
        package static let data = Kind(rawValue: 3)
    }

    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The sender sends no more on this stream.
        package static let remoteClosed = Flags(rawValue: 1)
        /// The sender will send data on this stream.
        package static let remoteOpen = Flags(rawValue: 2)
        /// The data are none, as opposed to an empty message.
        package static let noData = Flags(rawValue: 4)
    }

    /// The header; its length may be past ``longest`` where a peer does not keep to the rules.
    package struct Header: Sendable, Equatable {
        package var length: UInt32
        package var stream: UInt32
        package var kind: Kind
        package var flags: Flags

        package init(length: UInt32, stream: UInt32, kind: Kind, flags: Flags) {
            self.length = length
            self.stream = stream
            self.kind = kind
            self.flags = flags
        }
    }

    package var stream: UInt32
    package var kind: Kind
    package var flags: Flags
    package var data: ByteBuffer

    package init(stream: UInt32, kind: Kind, flags: Flags, data: ByteBuffer) {
        self.stream = stream
        self.kind = kind
        self.flags = flags
        self.data = data
    }
}

extension ByteBuffer {
    package mutating func readFrameHeader() -> Frame.Header? {
        guard let (length, stream, kind, flags) = readMultipleIntegers(as: (UInt32, UInt32, UInt8, UInt8).self) else {
            return nil
        }
        return Frame.Header(
            length: length, stream: stream, kind: Frame.Kind(rawValue: kind), flags: Frame.Flags(rawValue: flags))
    }

    /// Puts another stream id into the frame that begins here.
    mutating func setStream(_ stream: UInt32) { setInteger(stream, at: readerIndex + 4) }

    package mutating func writeFrameHeader(_ header: Frame.Header) {
        writeMultipleIntegers(header.length, header.stream, header.kind.rawValue, header.flags.rawValue)
    }
}
