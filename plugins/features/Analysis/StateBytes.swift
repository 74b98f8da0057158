import PluginKit

/// Bytes of a saved state: counts in as few bytes as they need (LEB128), numbers of tables as they lie in memory,
/// little-endian.
///
/// ``PluginKit/StateEncoder`` would build a second tree of all this first; here it is hundreds of megabytes.
struct StateWriter {
    private(set) var bytes: [UInt8] = []

    /// - Parameter capacity: at most so many bytes will come. What is not used costs no memory.
    init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    mutating func write(_ count: UInt64) {
        var rest = count
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func write(_ count: Int) { write(UInt64(count)) }
    mutating func write(_ number: Double) { writeFixed(number.bitPattern) }
    mutating func write(_ number: Float) { writeFixed(number.bitPattern) }
    mutating func writeFixed(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func write(_ text: String) {
        write(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    /// As many as the reader is told of.
    mutating func write(_ numbers: UnsafeMutableBufferPointer<some BitwiseCopyable>) {
        bytes.append(contentsOf: UnsafeRawBufferPointer(numbers))
    }
}

/// Reads what ``StateWriter`` has written. The bytes may be damaged: each read is held against what is left.
struct StateReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var place = 0

    /// - Parameter bytes: valid as long as this is used.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var left: Int { bytes.count - place }

    func damaged(_ why: String) -> PluginError {
        PluginError(.invalidArgument, "the saved state is damaged at byte \(place): \(why)")
    }

    private mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= left else { throw damaged("\(count) bytes expected, \(left) are left") }
        defer { place += count }
        return UnsafeRawBufferPointer(rebasing: bytes[place..<place + count])
    }

    mutating func unsigned() throws -> UInt64 {
        var (value, shift) = (UInt64(0), UInt64(0))
        while true {
            guard place < bytes.count else { throw damaged("it ends within a number") }
            let byte = bytes[place]
            place += 1
            guard shift < 63 || byte <= 1 else { throw damaged("a number of more than 64 bits") }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    /// A count of things, of which there may be as many as `most`.
    mutating func count(_ what: String, most: Int) throws -> Int {
        let value = try unsigned()
        guard value <= UInt64(most) else { throw damaged("\(value) \(what), at most \(most) can be") }
        return Int(value)
    }

    mutating func fixed<Number: FixedWidthInteger>() throws -> Number {
        Number(littleEndian: try take(MemoryLayout<Number>.size).loadUnaligned(as: Number.self))
    }

    mutating func double() throws -> Double { Double(bitPattern: try fixed()) }
    mutating func float() throws -> Float { Float(bitPattern: try fixed()) }

    mutating func text() throws -> String {
        let raw = try take(count("bytes of text", most: left))
        guard let text = String(validating: raw, as: UTF8.self) else { throw damaged("text is no UTF-8") }
        return text
    }

    mutating func fill(_ numbers: UnsafeMutableBufferPointer<some BitwiseCopyable>) throws {
        let target = UnsafeMutableRawBufferPointer(numbers)
        target.copyMemory(from: try take(target.count))
    }
}
