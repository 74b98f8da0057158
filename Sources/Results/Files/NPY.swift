import Files

/// An array as NumPy's `.npy`: what `numpy.load` reads.
package enum NPY {
    /// float32, `[rows.count / columns, columns]`.
    package static func bytes(_ rows: [Float], columns: Int) -> [UInt8] {
        var out = NPYHeader.bytes(type: "<f4", shape: [rows.count / columns, columns])
        for value in rows { withUnsafeBytes(of: value.bitPattern.littleEndian) { out.append(contentsOf: $0) } }
        return out
    }

    package static func bytes(_ array: NumericArray) -> [UInt8] {
        var out = NPYHeader.bytes(type: array.isDouble ? "<f8" : "<f4", shape: array.axes.map(\.count))
        out.reserveCapacity(out.count + array.values.count * 8)
        for value in array.values {
            if array.isDouble {
                withUnsafeBytes(of: value.bitPattern.littleEndian) { out.append(contentsOf: $0) }
            } else {
                withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { out.append(contentsOf: $0) }
            }
        }
        return out
    }
}
