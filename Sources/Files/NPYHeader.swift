/// What stands before the elements of an array in NumPy's `.npy` files (numpy's `lib/format.py` describes it).
package enum NPYHeader {
    /// The magic, version and dictionary, padded to 64 bytes with a newline at the end. Version 2 has a longer length field, for
    /// longer dictionaries.
    ///
    /// - Parameters:
    ///   - type: numpy's name of the elements' type: byte order, kind, bytes, as in `<f4`.
    ///   - shape: row-major; empty for a single element.
    package static func bytes(type: String, shape: [Int]) -> [UInt8] {
        let extents = shape.map { "\($0)," }.joined(separator: " ")
        var text = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': (\(extents)), }".utf8)
        let isLong = text.count + 64 > 0xFFFF
        let prefix = isLong ? 12 : 10
        while (prefix + text.count + 1) % 64 != 0 { text.append(UInt8(ascii: " ")) }
        text.append(UInt8(ascii: "\n"))

        var header: [UInt8] = [0x93] + Array("NUMPY".utf8) + [isLong ? 2 : 1, 0]
        for shift in stride(from: 0, to: isLong ? 32 : 16, by: 8) { header.append(UInt8(text.count >> shift & 0xFF)) }
        return header + text
    }
}
