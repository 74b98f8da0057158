/// An array as NumPy's `.npy` (format 1.0): what `numpy.load` reads.
package enum NPY {
    package static func bytes(_ array: NumericArray) -> [UInt8] {
        let shape = array.axes.map { "\($0.count)," }.joined(separator: " ")
        var header = "{'descr': '\(array.isDouble ? "<f8" : "<f4")', 'fortran_order': False, 'shape': (\(shape)), }"
        // The numbers begin at a multiple of 64.
        header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
        var out: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0] + WAV.little(UInt16(header.utf8.count))
        out += Array(header.utf8)
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
