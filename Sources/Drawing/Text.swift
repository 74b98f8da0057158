import CPangoCairo
import Palette

package struct TextStyle: Equatable, Sendable {
    /// Units from one line to the next would be about 1.2 times this.
    package var size: Double
    package var isBold: Bool
    package var colour: Colour

    package init(size: Double = 12, isBold: Bool = false, colour: Colour = .ink) {
        self.size = size
        self.isBold = isBold
        self.colour = colour
    }
}

/// A line of text as it stands in a picture, in any script: shaped by pango, with whatever fonts this machine has for it, and
/// measured before anything is drawn.
///
/// A letter that no font has becomes a box with its number. Not `Sendable`: it belongs to the thread that made it.
package final class Text {
    /// What is written: one line, without control characters.
    package let string: String
    package let style: TextStyle
    /// Units that it takes along its line, and across it.
    package let width: Double
    package let height: Double
    /// From its upper edge to its baseline.
    package let baseline: Double
    /// From the layout's left edge to the text's, which differ where a cut text reads from right to left.
    let inset: Double
    let layout: OpaquePointer

    /// Of longer texts, the rest is not looked at: nobody would see it.
    private static let mostCharacters = 400

    /// - Parameter limit: the widest that it may be; of what is wider "…" stands for the middle, as on the pages: hook points differ at
    ///   both ends.
    package init(_ text: String, _ style: TextStyle = .init(), within limit: Double = .infinity) {
        string = PrintableText.line(text, most: Self.mostCharacters)
        self.style = style
        let context = Self.context()
        layout = pango_layout_new(context)
        g_object_unref(UnsafeMutableRawPointer(context))
        let font = pango_font_description_new()
        pango_font_description_set_family_static(font, "sans-serif")
        pango_font_description_set_absolute_size(font, style.size * Double(PANGO_SCALE))
        pango_font_description_set_weight(font, style.isBold ? PANGO_WEIGHT_SEMIBOLD : PANGO_WEIGHT_NORMAL)
        pango_layout_set_font_description(layout, font)
        pango_font_description_free(font)
        pango_layout_set_single_paragraph_mode(layout, 1)
        pango_layout_set_text(layout, string, -1)
        var place = Self.extents(layout)
        if place.width > limit {
            pango_layout_set_width(layout, Int32(max(limit, 1) * Double(PANGO_SCALE)))
            pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_MIDDLE)
            place = Self.extents(layout)
        }
        (inset, width, height) = (place.x, place.width, place.height)
        baseline = Double(pango_layout_get_baseline(layout)) / Double(PANGO_SCALE)
    }

    deinit { g_object_unref(UnsafeMutableRawPointer(layout)) }

    /// Letters at their exact places, so that a text is as wide in pixels as it is on paper. Fonts are what fontconfig
    /// finds; the map of them is the calling thread's.
    private static func context() -> OpaquePointer {
        let context: OpaquePointer = pango_font_map_create_context(pango_cairo_font_map_get_default())
        let options = cairo_font_options_create()
        cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE)
        cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF)
        cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY)
        pango_cairo_context_set_font_options(context, options)
        cairo_font_options_destroy(options)
        pango_context_set_round_glyph_positions(context, 0)
        return context
    }

    private static func extents(_ layout: OpaquePointer) -> Area {
        var logical = PangoRectangle()
        pango_layout_get_extents(layout, nil, &logical)
        let unit = Double(PANGO_SCALE)
        return Area(
            Double(logical.x) / unit, Double(logical.y) / unit, Double(logical.width) / unit,
            Double(logical.height) / unit)
    }
}
