import CPangoCairo

/// The pixels of a PNG file, as cairo reads them.
public struct PNGPicture {
    public let width: Int
    public let height: Int
    /// `0xAARRGGBB`, row by row.
    private let values: [UInt32]

    public struct Damaged: Error { public let what: String }

    public init(_ bytes: [UInt8]) throws {
        let rest = Rest(bytes)
        let surface: OpaquePointer = cairo_image_surface_create_from_png_stream(
            { closure, into, count in
                guard let closure, let into else { return CAIRO_STATUS_READ_ERROR }
                let rest = Unmanaged<Rest>.fromOpaque(closure).takeUnretainedValue()
                guard rest.bytes.count >= Int(count) else { return CAIRO_STATUS_READ_ERROR }
                into.update(from: Array(rest.bytes.prefix(Int(count))), count: Int(count))
                rest.bytes = rest.bytes.dropFirst(Int(count))
                return CAIRO_STATUS_SUCCESS
            }, Unmanaged.passUnretained(rest).toOpaque())
        defer { cairo_surface_destroy(surface) }
        let status = cairo_surface_status(surface)
        guard status == CAIRO_STATUS_SUCCESS, rest.bytes.isEmpty, let data = cairo_image_surface_get_data(surface)
        else { throw Damaged(what: String(cString: cairo_status_to_string(status))) }
        width = Int(cairo_image_surface_get_width(surface))
        height = Int(cairo_image_surface_get_height(surface))
        let stride = Int(cairo_image_surface_get_stride(surface))
        var values: [UInt32] = []
        for row in 0..<height {
            for column in 0..<width {
                values.append(UnsafeRawPointer(data).load(fromByteOffset: row * stride + column * 4, as: UInt32.self))
            }
        }
        self.values = values
    }

    /// Red, green, blue.
    public func pixel(_ x: Int, _ y: Int) -> [Int] {
        let value = values[y * width + x]
        return [16, 8, 0].map { Int(value >> $0 & 0xFF) }
    }

    /// The smallest rectangle with all pixels of exactly this colour: columns and rows; nil where there are none.
    public func bounds(of colour: [Int]) -> (columns: ClosedRange<Int>, rows: ClosedRange<Int>)? {
        bounds { $0 == colour }
    }

    /// The smallest rectangle with all pixels that `isWanted` holds for.
    public func bounds(_ isWanted: ([Int]) -> Bool) -> (columns: ClosedRange<Int>, rows: ClosedRange<Int>)? {
        var columns: ClosedRange<Int>?
        var rows: ClosedRange<Int>?
        for y in 0..<height {
            for x in 0..<width where isWanted(pixel(x, y)) {
                columns = min(columns?.lowerBound ?? x, x)...max(columns?.upperBound ?? x, x)
                rows = (rows?.lowerBound ?? y)...y
            }
        }
        guard let columns, let rows else { return nil }
        return (columns, rows)
    }

    private final class Rest {
        var bytes: ArraySlice<UInt8>
        init(_ bytes: [UInt8]) { self.bytes = bytes[...] }
    }
}
