/// The two grids that positive values are counted on. Both follow the largest value so far: when it grows, cells are put
/// together as if the grid had been the coarser one from the start. So a grid depends on the largest value, and a count
/// on the grid and the values, and neither on any order.
protocol Grid {
    static var cells: Int { get }
    /// The cell into which `cell` goes when the exponent has grown by `steps`.
    static func target(_ cell: Int, steps: Int) -> Int
    /// Where a cell begins; it ends where the next begins.
    static func lowerEdge(_ cell: Int, exponent: Int) -> Double
}

/// Cells of equal width 2ᵉ/64 on [0, 2ᵉ), where 2ᵉ is the smallest power of two above the largest value: as `frexp` has
/// it, the largest is in [2ᵉ⁻¹, 2ᵉ), so 33 to 64 cells are in use.
enum WidthGrid: Grid {
    static let cells = 64
    static let leastExponent = -24

    static func exponent(_ largest: Float) -> Int {
        // 2^(E - 127) ≤ x < 2^(E - 126), for the 8 bits E of the exponent.
        max(leastExponent, Int(largest.bitPattern >> 23 & 0xff) - 126)
    }

    /// What a value is multiplied with, exactly, to give its cell.
    static func scale(_ exponent: Int) -> Float {
        // The factor for the largest exponent, 128, is 2^-122, which is normal.
        Float(sign: .plus, exponent: 6 - exponent, significand: 1)
    }

    static func target(_ cell: Int, steps: Int) -> Int { steps >= 6 ? 0 : cell >> steps }
    static func lowerEdge(_ cell: Int, exponent: Int) -> Double {
        Double(cell) * Double(sign: .plus, exponent: exponent - 6, significand: 1)
    }
}

/// Eight cells an octave (a float's exponent and the upper three bits of its significand), over the twelve octaves below
/// the largest value's end; what is lower is in cell 0, which begins at 0.
enum OctaveGrid: Grid {
    static let octaves = 12
    static let cells = 8 * octaves + 1

    /// The bits of the lowest value of cell 1, shifted as those of a value are.
    static func base(_ exponent: Int) -> Int { (exponent + 126 - octaves + 1) * 8 }

    @inline(__always)
    static func cell(_ value: Float, base: Int) -> Int { max(0, Int(value.bitPattern >> 20) - base + 1) }

    static func target(_ cell: Int, steps: Int) -> Int { steps >= octaves ? 0 : max(0, cell - 8 * steps) }

    static func lowerEdge(_ cell: Int, exponent: Int) -> Double {
        guard cell > 0 else { return 0 }
        let (octave, part) = (cell - 1).quotientAndRemainder(dividingBy: 8)
        return Double(sign: .plus, exponent: exponent - octaves + octave, significand: 1) * (1 + Double(part) / 8)
    }
}
