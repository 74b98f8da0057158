import Foundation

/// An sRGB colour.
package struct Colour: Equatable, Sendable {
    package var red: UInt8
    package var green: UInt8
    package var blue: UInt8

    package init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }

    /// `#1f2933`.
    package var hex: String {
        "#" + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    package static let paper = Colour(255, 255, 255)
    package static let ink = Colour(31, 41, 51)
    package static let muted = Colour(97, 110, 124)
    package static let rule = Colour(222, 227, 232)
    /// A place without a value.
    package static let missing = Colour(205, 208, 212)

    /// For series next to each other, in this order; told apart in all common forms of colour blindness by lightness.
    package static let series: [Colour] = [
        Colour(33, 102, 172), Colour(217, 119, 6), Colour(15, 118, 110), Colour(190, 60, 90),
        Colour(124, 92, 196), Colour(96, 140, 40), Colour(90, 90, 90), Colour(40, 170, 200),
    ]
}

/// The colours of a heat map, dark for little and bright for much.
///
/// A path through OKLCH (B. Ottosson, 2020): lightness rises evenly, so that equal steps of a value look equal, hue
/// goes from violet over blue and green to yellow, and chroma is what sRGB has room for. Computed, not copied.
package enum ColourMap {
    package static let table: [Colour] = (0..<255).map { make(Double($0) / 254) }

    /// - Parameter share: 0…1.
    package static func colour(_ share: Double) -> Colour { table[index(share)] }

    package static func index(_ share: Double) -> Int { share.isNaN ? 0 : Int((min(max(share, 0), 1) * 254).rounded()) }

    private static func make(_ share: Double) -> Colour {
        let lightness = 0.20 + 0.74 * share
        let hue = (305 - 200 * share) * .pi / 180
        var chroma = 0.13 + 0.03 * share
        while chroma > 0 {
            let rgb = linear(lightness, chroma * cos(hue), chroma * sin(hue))
            if rgb.allSatisfy({ (-0.0005...1.0005).contains($0) }) { return encoded(rgb) }
            chroma -= 0.002
        }
        return encoded(linear(lightness, 0, 0))
    }

    /// OKLab to linear sRGB.
    private static func linear(_ lightness: Double, _ a: Double, _ b: Double) -> [Double] {
        let l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3)
        let m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3)
        let s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3)
        return [
            4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
            -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
            -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
        ]
    }

    private static func encoded(_ rgb: [Double]) -> Colour {
        let bytes = rgb.map { value -> UInt8 in
            let value = min(max(value, 0), 1)
            let gamma = value <= 0.0031308 ? 12.92 * value : 1.055 * pow(value, 1 / 2.4) - 0.055
            return UInt8((gamma * 255).rounded())
        }
        return Colour(bytes[0], bytes[1], bytes[2])
    }
}
