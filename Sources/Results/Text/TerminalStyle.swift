import Files
import Foundation
import Palette

/// What the place that results are written to can show.
package struct TerminalStyle: Sendable {
    /// How a colour is asked for.
    package enum Colours: Sendable { case none, palette, all }

    /// Columns of a line.
    package var width: Int
    package var colours: Colours

    package init(width: Int, colours: Colours) {
        self.width = max(width, 20)
        self.colours = colours
    }

    /// Standard output as it is: colours on a terminal only, and not where `$NO_COLOR` is set (whatever to). Its width is
    /// `$COLUMNS`, the terminal's, or 100.
    package init(environment: [String: String]) {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        var size = winsize()
        let asked = environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        let own = isTerminal && ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
        let plain = !isTerminal || !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
        let all = ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? "")
        self.init(width: asked ?? (own > 0 ? own : 100), colours: plain ? .none : all ? .all : .palette)
    }

    /// `text` on a ground of this colour.
    func paint(_ text: String, ground: Colour) -> String {
        switch colours {
        case .none: text
        case .all: "\u{1B}[48;2;\(ground.red);\(ground.green);\(ground.blue)m\(text)\u{1B}[0m"
        case .palette: "\u{1B}[48;5;\(ground.paletteIndex)m\(text)\u{1B}[0m"
        }
    }

    func bold(_ text: String) -> String { colours == .none ? text : "\u{1B}[1m\(text)\u{1B}[0m" }
}

extension Colour {
    /// The nearest colour of the 6 × 6 × 6 cube that terminals have.
    fileprivate var paletteIndex: Int {
        func level(_ value: UInt8) -> Int { value < 48 ? 0 : value < 115 ? 1 : (Int(value) - 35) / 40 }
        return 16 + 36 * level(red) + 6 * level(green) + level(blue)
    }
}
