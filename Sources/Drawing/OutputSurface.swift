import CPangoCairo

/// One of cairo's surfaces, and the bytes of a file that come of it.
final class OutputSurface {
    let surface: OpaquePointer
    private let format: PictureFormat
    private let collected = CollectedBytes()

    /// - Parameters:
    ///   - width, height: in units, both positive.
    ///   - title: without control characters.
    init(_ format: PictureFormat, width: Double, height: Double, title: String) {
        self.format = format
        let closure = Unmanaged.passUnretained(collected).toOpaque()
        switch format {
        case .png:
            let scale = Picture.pixelsPerUnit
            surface = cairo_image_surface_create(
                CAIRO_FORMAT_RGB24, Int32((width * scale).rounded(.up)), Int32((height * scale).rounded(.up)))
            cairo_surface_set_device_scale(surface, scale, scale)
        case .svg:
            surface = cairo_svg_surface_create_for_stream(CollectedBytes.write, closure, width, height)
            cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX)
        case .pdf:
            // A point is 1/72 inch, a unit 1/96.
            let points = 72.0 / 96
            surface = cairo_pdf_surface_create_for_stream(
                CollectedBytes.write, closure, width * points, height * points)
            cairo_surface_set_device_scale(surface, points, points)
            cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title)
            // The time would make every file another one.
            cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, nil)
        }
    }

    deinit {
        // Writes what is left, while there is somewhere to write to: a canvas may keep the surface for longer.
        cairo_surface_finish(surface)
        cairo_surface_destroy(surface)
    }

    /// Ends the file. Nothing can be drawn any more.
    func finish(_ check: (cairo_status_t) throws(DrawingError) -> Void) throws(DrawingError) -> [UInt8] {
        if format == .png {
            let closure = Unmanaged.passUnretained(collected).toOpaque()
            try check(cairo_surface_write_to_png_stream(surface, CollectedBytes.write, closure))
        }
        cairo_surface_finish(surface)
        try check(cairo_surface_status(surface))
        return collected.bytes
    }
}

/// Where cairo writes to.
private final class CollectedBytes {
    var bytes: [UInt8] = []

    static let write: cairo_write_func_t = { closure, data, count in
        guard let closure, let data else { return CAIRO_STATUS_WRITE_ERROR }
        let collected = Unmanaged<CollectedBytes>.fromOpaque(closure).takeUnretainedValue()
        collected.bytes.append(contentsOf: UnsafeBufferPointer(start: data, count: Int(count)))
        return CAIRO_STATUS_SUCCESS
    }
}
