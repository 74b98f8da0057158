import CPangoCairo
import Palette

/// A rectangle of colours, row by row from above.
package struct Pixels: Equatable, Sendable {
    package let width: Int
    package let height: Int
    /// `0x00RRGGBB`, as cairo's `CAIRO_FORMAT_RGB24`.
    private var values: [UInt32]

    /// All of one colour.
    package init(width: Int, height: Int, _ colour: Colour = .paper) {
        precondition(width >= 0 && height >= 0, "\(width) × \(height) pixels")
        self.width = width
        self.height = height
        values = [UInt32](repeating: colour.packed, count: width * height)
    }

    package subscript(column: Int, row: Int) -> Colour {
        get { Colour(packed: values[row * width + column]) }
        set { values[row * width + column] = newValue.packed }
    }

    /// A surface of cairo's with these pixels; the caller destroys it. Cairo may have found no memory for it, which its
    /// status says.
    func surface() -> OpaquePointer {
        let surface: OpaquePointer = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width), Int32(height))
        guard let data = cairo_image_surface_get_data(surface) else { return surface }
        let stride = Int(cairo_image_surface_get_stride(surface))
        cairo_surface_flush(surface)
        values.withUnsafeBytes { bytes in
            for row in 0..<height {
                let line = UnsafeRawBufferPointer(rebasing: bytes[row * width * 4..<(row + 1) * width * 4])
                UnsafeMutableRawBufferPointer(start: data + row * stride, count: width * 4).copyMemory(from: line)
            }
        }
        cairo_surface_mark_dirty(surface)
        return surface
    }
}

extension Colour {
    fileprivate var packed: UInt32 { UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue) }

    fileprivate init(packed: UInt32) {
        self.init(UInt8(packed >> 16 & 0xFF), UInt8(packed >> 8 & 0xFF), UInt8(packed & 0xFF))
    }
}
