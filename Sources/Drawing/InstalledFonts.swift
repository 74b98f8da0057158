import CPangoCairo

/// What fontconfig finds on this machine.
enum InstalledFonts {
    /// Whether there is one with letters: without any, pango's measures mean nothing.
    static let areThere: Bool = {
        let text = Text("x")
        return pango_layout_get_unknown_glyphs_count(text.layout) == 0
    }()
}
