import CPangoCairo
import Palette

/// What a picture is drawn on. Coordinates are in units; what is no number, or has no place, is not drawn.
///
/// Used by one thread at a time, inside ``Picture``'s closure.
package final class Canvas {
    /// A place with a word about it, which a reader sees where a pointer rests on it (SVG only).
    struct Mark: Equatable {
        var area: Area
        var text: String
    }

    /// A text, and the place that it takes.
    struct Written: Equatable {
        var string: String
        var area: Area
    }

    package let width: Double
    package let height: Double
    private(set) var marks: [Mark] = []
    private(set) var texts: [Written] = []
    private let context: OpaquePointer
    /// Beyond this, cairo's coordinates of 24 bits would overflow.
    private static let farthest = 1e6

    init(on surface: OpaquePointer, width: Double, height: Double) {
        context = cairo_create(surface)
        self.width = width
        self.height = height
    }

    deinit { cairo_destroy(context) }

    func finish() -> cairo_status_t { cairo_status(context) }

    /// - Parameters:
    ///   - opacity: 0…1.
    ///   - note: what is said of the rectangle where a pointer rests on it.
    package func fill(_ area: Area, _ colour: Colour, opacity: Double = 1, note: String? = nil) {
        guard area.isFinite, area.width > 0, area.height > 0 else { return }
        use(colour, opacity)
        let from = clamped(Point(area.x, area.y)), to = clamped(Point(area.right, area.bottom))
        cairo_rectangle(context, from.x, from.y, to.x - from.x, to.y - from.y)
        cairo_fill(context)
        if let note, !note.isEmpty { marks.append(Mark(area: area, text: note)) }
    }

    /// A line through points, with round ends and corners.
    package func line(_ points: [Point], _ colour: Colour, width: Double) {
        let points = points.filter(\.isFinite).map(clamped)
        guard let first = points.first, width.isFinite, width > 0 else { return }
        use(colour, 1)
        cairo_set_line_width(context, min(width, Self.farthest))
        cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
        cairo_set_line_cap(context, CAIRO_LINE_CAP_ROUND)
        cairo_move_to(context, first.x, first.y)
        for point in points.dropFirst() { cairo_line_to(context, point.x, point.y) }
        // A line of one point is a dot.
        if points.count == 1 { cairo_line_to(context, first.x, first.y) }
        cairo_stroke(context)
    }

    /// - Parameters:
    ///   - point: where the text's baseline begins, has its middle, or ends.
    ///   - isTurned: reading upwards.
    package func text(_ text: Text, at point: Point, _ anchor: Anchor = .start, isTurned: Bool = false) {
        guard point.isFinite, !text.string.isEmpty else { return }
        let place = clamped(point)
        use(text.style.colour, 1)
        cairo_save(context)
        cairo_translate(context, place.x, place.y)
        if isTurned { cairo_rotate(context, -.pi / 2) }
        cairo_move_to(context, -text.width * anchor.share - text.inset, -text.baseline)
        pango_cairo_show_layout(context, text.layout)
        cairo_restore(context)
        let along = -text.width * anchor.share, across = -text.baseline
        let area =
            isTurned
            ? Area(point.x + across, point.y - along - text.width, text.height, text.width)
            : Area(point.x + along, point.y + across, text.width, text.height)
        texts.append(Written(string: text.string, area: area))
    }

    /// Pixels, stretched over an area without smoothing.
    package func image(_ pixels: Pixels, in area: Area) {
        guard area.isFinite, area.width > 0, area.height > 0, pixels.width > 0, pixels.height > 0,
            [area.x, area.y, area.right, area.bottom].allSatisfy({ abs($0) <= Self.farthest })
        else { return }
        let image = pixels.surface()
        cairo_save(context)
        cairo_translate(context, area.x, area.y)
        cairo_scale(context, area.width / Double(pixels.width), area.height / Double(pixels.height))
        cairo_set_source_surface(context, image, 0, 0)
        cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_NEAREST)
        cairo_paint(context)
        cairo_restore(context)
        cairo_surface_destroy(image)
    }

    private func use(_ colour: Colour, _ opacity: Double) {
        cairo_set_source_rgba(
            context, Double(colour.red) / 255, Double(colour.green) / 255, Double(colour.blue) / 255, opacity)
    }

    private func clamped(_ point: Point) -> Point {
        Point(
            min(max(point.x, -Self.farthest), Self.farthest), min(max(point.y, -Self.farthest), Self.farthest))
    }
}

/// Which part of a text stands at its place.
package enum Anchor: Sendable {
    case start, middle, end

    /// Of the text's width, before the place.
    var share: Double {
        switch self {
        case .start: 0
        case .middle: 0.5
        case .end: 1
        }
    }
}
