import Client
import Files
import Foundation
import Synchronization

/// A terminal that is drawn on as a whole and gives keys one by one; as it was again when this ends.
final class ListenTerminal: Sendable {
    private let before: termios
    private let hasEnded = Atomic(false)

    /// Nil where standard input or output is no terminal.
    init?() {
        var now = termios()
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, tcgetattr(STDIN_FILENO, &now) == 0 else {
            return nil
        }
        before = now
        // Keys at once and unseen; Ctrl-C stays a signal.
        now.c_lflag &= ~tcflag_t(ICANON | ECHO)
        guard tcsetattr(STDIN_FILENO, TCSANOW, &now) == 0 else { return nil }
        // Another screen, so that what was on this one is there afterwards; no cursor.
        try? Console.current.output("\u{1B}[?1049h\u{1B}[?25l")
    }

    func end() {
        guard !hasEnded.exchange(true, ordering: .relaxed) else { return }
        var before = before
        tcsetattr(STDIN_FILENO, TCSANOW, &before)
        try? Console.current.output("\u{1B}[?25h\u{1B}[?1049l")
    }

    /// Columns and lines, as they are now.
    var size: (width: Int, height: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    func draw(_ lines: [String]) throws {
        try Console.current.output("\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// The keys that were pressed since the last call.
    func keys() -> [Character] {
        var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard !hasEnded.load(ordering: .relaxed), poll(&waiting, 1, 0) > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(STDIN_FILENO, &bytes, bytes.count)
        guard count > 0 else { return [] }
        // A sequence that a function key sends is no letter.
        return bytes[0] == 0x1B ? [] : Array(String(decoding: bytes.prefix(count), as: UTF8.self))
    }
}
