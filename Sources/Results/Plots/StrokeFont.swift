import Foundation

/// A font of strokes for pictures that are drawn here: letters are lines between points of a small grid, so they scale,
/// and no font file or font library is needed. It has Latin letters, digits, signs and the phonetic letters that
/// English needs; of a letter with an accent the letter is drawn, and what it does not have is an empty box. The SVG
/// beside each picture has the text itself.
enum StrokeFont {
    /// Units from the baseline to the top of a capital.
    static let capHeight = 6.0
    private static let gap = 1.7

    struct Glyph: Sendable {
        let width: Double
        /// Points with y from the top of a capital downwards; the baseline is at 6.
        let strokes: [[(x: Double, y: Double)]]
    }

    /// How wide a text is at `size`, the height of a line's letters in CSS pixels.
    static func width(_ text: String, size: Double) -> Double {
        glyphs(text).reduce(0) { $0 + $1.width + gap } * unit(size)
    }

    /// Pixels of a unit: capitals have 0.7 of the font's size.
    static func unit(_ size: Double) -> Double { size * 0.7 / capHeight }

    /// The text's strokes from a baseline that begins at 0, in pixels.
    static func strokes(_ text: String, size: Double) -> [[Point]] {
        let unit = unit(size)
        var x = 0.0
        var out: [[Point]] = []
        for glyph in glyphs(text) {
            for stroke in glyph.strokes {
                out.append(stroke.map { Point((x + $0.x) * unit, ($0.y - capHeight) * unit) })
            }
            x += glyph.width + gap
        }
        return out
    }

    private static func glyphs(_ text: String) -> [Glyph] {
        text.compactMap { character in
            if let glyph = table[character] { return glyph }
            // A letter with its marks apart.
            let scalars = String(character).decomposedStringWithCanonicalMapping.unicodeScalars
            if let first = scalars.first, scalars.count > 1, let glyph = table[Character(first)] { return glyph }
            return scalars.first?.properties.generalCategory == .format ? nil : box
        }
    }

    private static let box = glyph("00 30 36 06 00")

    private static let table: [Character: Glyph] = {
        var table: [Character: Glyph] = [" ": Glyph(width: 1.3, strokes: [])]
        for line in shapes.split(separator: "\n") {
            guard let character = line.first else { continue }
            table[character] = glyph(String(line.dropFirst(2)))
        }
        for (alias, letter) in [("ɑ", "a"), ("ɡ", "g"), ("μ", "µ"), ("ː", ":"), ("ˈ", "'"), ("’", "'")] {
            table[Character(alias)] = table[Character(letter)]
        }
        return table
    }()

    /// Points are two digits, x and y; strokes are apart at slashes.
    private static func glyph(_ text: String) -> Glyph {
        let strokes = text.split(separator: "/").map { stroke in
            stroke.split(separator: " ").compactMap { point -> (x: Double, y: Double)? in
                let digits = point.compactMap(\.wholeNumberValue)
                return digits.count == 2 ? (Double(digits[0]), Double(digits[1])) : nil
            }
        }
        return Glyph(width: strokes.joined().map(\.x).max() ?? 0, strokes: strokes)
    }

    private static let shapes = """
        A 06 20 46/14 34
        B 00 30 41 42 33 03/33 44 45 36 06 00
        C 41 30 10 01 05 16 36 45
        D 00 20 31 42 44 35 26 06 00
        E 30 00 06 36/03 23
        F 30 00 06/03 23
        G 41 30 10 01 05 16 36 45 43 23
        H 00 06/40 46/03 43
        I 00 06
        J 30 35 26 16 05
        K 00 06/40 03 46
        L 00 06 36
        M 06 00 24 40 46
        N 06 00 46 40
        O 10 30 41 45 36 16 05 01 10
        P 06 00 30 41 42 33 03
        Q 10 30 41 45 36 16 05 01 10/24 46
        R 06 00 30 41 42 33 03/23 46
        S 41 30 10 01 02 13 33 44 45 36 16 05
        T 00 40/20 26
        U 00 05 16 36 45 40
        V 00 26 40
        W 00 16 32 56 60
        X 00 46/40 06
        Y 00 23 40/23 26
        Z 00 40 06 46
        a 32 36/33 22 12 03 05 16 26 35
        b 00 06/03 12 22 33 35 26 16 05
        c 33 22 12 03 05 16 26 35
        d 30 36/33 22 12 03 05 16 26 35
        e 04 34 33 22 12 03 05 16 26 35
        f 20 11 16/02 22
        g 32 37 28 18 07/33 22 12 03 05 16 26 35
        h 00 06/03 12 22 33 36
        i 02 06/00 00
        j 12 17 08/10 10
        k 00 06/32 04/14 36
        l 00 06
        m 02 06/03 12 23 26/23 32 43 46
        n 02 06/03 12 22 33 36
        o 12 22 33 35 26 16 05 03 12
        p 02 08/03 12 22 33 35 26 16 05
        q 32 38/33 22 12 03 05 16 26 35
        r 02 06/03 12 22
        s 33 22 12 03 14 24 35 26 16 05
        t 10 15 26/02 22
        u 02 05 16 26 35/32 36
        v 02 26 42
        w 02 16 23 36 42
        x 02 36/32 06
        y 02 26/42 26 18
        z 02 32 06 36
        0 10 20 31 35 26 16 05 01 10
        1 01 10 16/06 26
        2 01 10 20 31 32 06 36
        3 01 10 20 31 32 23 13/23 34 35 26 16 05
        4 26 20 04 34
        5 30 00 03 12 22 33 35 26 16 05
        6 30 20 02 05 16 26 35 34 23 13 04
        7 00 30 16
        8 10 20 31 32 23 13 02 01 10/13 04 05 16 26 35 34 23
        9 06 16 34 31 20 10 01 02 13 23 32
        . 05 06
        , 16 07
        : 03 03/06 06
        ; 13 13/16 07
        - 04 24
        − 03 33
        – 04 34
        — 04 64
        + 03 43/21 25
        = 02 32/04 34
        ( 10 02 05 17
        ) 00 12 15 07
        [ 10 00 07 17
        ] 00 10 17 07
        { 20 11 12 03 14 15 26
        } 00 11 12 23 14 15 06
        / 30 06
        \\ 00 36
        % 00 10 11 01 00/35 45 46 36 35/40 06
        _ 07 37
        * 20 24/01 43/41 03
        # 10 16/30 36/02 42/04 44
        ! 00 04/06 06
        ? 01 10 20 31 32 13 14/16 16
        ' 00 01
        " 00 01/20 21
        ` 00 11
        < 31 03 35
        > 01 33 05
        ≤ 30 02 34/06 36
        ≥ 00 32 04/06 36
        | 00 07
        ~ 04 13 24 33
        ^ 02 10 22
        & 46 11 20 31 04 05 16 26 44
        @ 43 32 23 34 44 42 30 10 01 05 16 36
        $ 41 30 10 01 02 13 33 44 45 36 16 05/20 26
        · 03 03
        … 06 06/26 26/46 46
        × 02 35/32 05
        ∞ 34 23 13 04 15 25 34 43 53 64 55 45 34
        ° 00 10 11 01 00
        µ 02 08/05 16 26 35/32 36
        → 03 53/31 53 35
        ↓ 20 26/04 26 44
        ß 06 01 10 20 31 22 34 35 26 16
        ə 34 04 05 16 26 35 33 22 12 03
        ɛ 32 12 03 14 24/14 05 16 36
        ɜ 02 22 33 24 14/24 35 26 06
        ɪ 02 22/12 16/06 26
        ʊ 02 12 04 05 16 26 35 34 22 32
        ɔ 03 12 22 33 35 26 16 05
        ʃ 30 20 11 16 07
        ʒ 02 32 14 24 35 37 28 18 07
        ŋ 02 06/03 12 22 33 37 28
        θ 10 20 31 35 26 16 05 01 10/03 33
        ð 10 21 33 35 26 16 05 04 13 23 33/01 31
        æ 12 22 33 35 26 16 05 14 34 64 63 52 42 33/35 46 56 65
        ʌ 06 22 46
        ɹ 36 32/35 26 16
        ʔ 01 10 20 31 32 13 16
        """
}
