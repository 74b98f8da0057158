import CZlib
import Palette

/// Pictures as the bytes of a PNG file (ISO/IEC 15948), compressed by zlib.
package enum PNG {
    /// Three bytes a pixel.
    static func rgb(_ pixels: [UInt8], width: Int, height: Int) -> [UInt8] {
        file(pixels, width: width, height: height, bytesPerPixel: 3, colourType: 2, palette: nil)
    }

    /// A byte a pixel: an index into the colour map, or 255 for no value.
    package static func heatMap(_ indices: [UInt8], width: Int, height: Int) -> [UInt8] {
        let palette = (ColourMap.table + [.missing]).flatMap { [$0.red, $0.green, $0.blue] }
        return file(indices, width: width, height: height, bytesPerPixel: 1, colourType: 3, palette: palette)
    }

    private static func file(
        _ pixels: [UInt8], width: Int, height: Int, bytesPerPixel: Int, colourType: UInt8, palette: [UInt8]?
    ) -> [UInt8] {
        precondition(pixels.count == width * height * bytesPerPixel)
        // Each row begins with its filter: 0, none.
        var rows: [UInt8] = []
        rows.reserveCapacity(pixels.count + height)
        let stride = width * bytesPerPixel
        for row in 0..<height {
            rows.append(0)
            rows += pixels[row * stride..<(row + 1) * stride]
        }
        var out: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        out += chunk("IHDR", big(UInt32(width)) + big(UInt32(height)) + [8, colourType, 0, 0, 0])
        if let palette { out += chunk("PLTE", palette) }
        out += chunk("IDAT", deflated(rows))
        return out + chunk("IEND", [])
    }

    private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + data
        let check = body.withUnsafeBufferPointer { crc32(0, $0.baseAddress, UInt32($0.count)) }
        return big(UInt32(data.count)) + body + big(UInt32(truncatingIfNeeded: check))
    }

    private static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        let bound = Int(compressBound(UInt(bytes.count)))
        return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            var size = UInt(bound)
            let status = compress2(buffer.baseAddress, &size, bytes, UInt(bytes.count), 6)
            // The bound is zlib's own, so only memory can be missing.
            precondition(status == Z_OK, "zlib could not compress \(bytes.count) bytes: \(status)")
            count = Int(size)
        }
    }

    private static func big(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
}
