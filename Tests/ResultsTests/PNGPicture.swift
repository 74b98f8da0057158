import CZlib
import Foundation

/// A PNG of RGB pixels without filters, as this program writes them, read by its chunks.
struct PNGPicture {
    let width: Int
    let height: Int
    private let rows: [UInt8]

    struct Damaged: Error { let what: String }

    init(_ data: Data) throws {
        let bytes = [UInt8](data)
        guard bytes.prefix(8) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] else { throw Damaged(what: "mark") }
        func number(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        var at = 8
        var size = (0, 0)
        var packed: [UInt8] = []
        var types: [String] = []
        while at + 12 <= bytes.count {
            let length = number(at)
            let body = bytes[at + 4..<at + 8 + length]
            guard
                body.withUnsafeBufferPointer({ Int(crc32(0, $0.baseAddress, UInt32($0.count))) })
                    == number(at + 8 + length)
            else { throw Damaged(what: "checksum") }
            let type = String(decoding: body.prefix(4), as: UTF8.self)
            types.append(type)
            if type == "IHDR" { size = (number(at + 8), number(at + 12)) }
            if type == "IDAT" { packed += body.dropFirst(4) }
            at += 12 + length
        }
        guard at == bytes.count, types.first == "IHDR", types.last == "IEND" else { throw Damaged(what: "chunks") }
        var count = UInt((size.0 * 3 + 1) * size.1)
        var rows = [UInt8](repeating: 1, count: Int(count))
        guard uncompress(&rows, &count, packed, UInt(packed.count)) == Z_OK, count == rows.count else {
            throw Damaged(what: "pixels")
        }
        (width, height) = size
        self.rows = rows
    }

    /// Red, green, blue.
    func pixel(_ x: Int, _ y: Int) -> [Int] {
        let at = y * (width * 3 + 1) + 1 + x * 3
        return rows[at..<at + 3].map(Int.init)
    }
}
