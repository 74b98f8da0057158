import Foundation
import Messages
import Results
import Synchronization

/// One line on a terminal that tells how far long work has come; nothing elsewhere.
///
/// Any thread may report. The line goes with ``clear()`` or with the value.
package final class ProgressLine: Sendable {
    private let console: Console
    private let isShown: Bool
    private let state = Mutex<(last: ContinuousClock.Instant?, visible: Bool)>((nil, false))

    package init(_ console: Console, quiet: Bool) {
        self.console = console
        self.isShown = console.showsProgress && !quiet
    }

    deinit { clear() }

    /// Shows `text`, at most ten times a second unless it `matters`.
    package func show(_ text: @autoclosure () -> String, matters: Bool = false) {
        guard isShown else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            if !matters, let last = state.last, now - last < .milliseconds(100) { return }
            state = (now, true)
            // Back to the line's start, the text, and clear what is left of the longer one before it.
            console.error("\r" + text() + "\u{1B}[K")
        }
    }

    /// Shows a bar for `done` of `total`.
    package func show(_ label: String, done: Int, total: Int?, unit: (Int) -> String, matters: Bool = false) {
        guard let total, total > 0 else { return show("\(label)  \(unit(done))", matters: matters) }
        show(Self.bar(label, done: done, total: total, unit: unit), matters: matters)
    }

    /// Shows how far the daemon says it is.
    package func show(_ label: String, _ progress: V1.Progress, matters: Bool = false, unit: (Int) -> String) {
        let total = progress.total > 0 ? progress.total.clamped : nil
        show(label, done: max(progress.done, 0).clamped, total: total, unit: unit, matters: matters)
    }

    package func clear() {
        state.withLock { state in
            if state.visible { console.error("\r\u{1B}[K") }
            state.visible = false
        }
    }

    package static func bar(_ label: String, done: Int, total: Int, unit: (Int) -> String) -> String {
        let share = min(max(Double(done) / Double(total), 0), 1)
        let width = 28
        let filled = Int((share * Double(width)).rounded(.down))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        return "\(label)  \(bar) \(Int(share * 100)) %  \(unit(done)) of \(unit(total))"
    }
}

/// A number of bytes for people: 999 B, 1.5 kB, 2.9 GB (powers of 1000).
package func byteCount(_ bytes: Int) -> String {
    guard bytes >= 1000 else { return "\(bytes) B" }
    var value = Double(bytes) / 1000
    var units = ["kB", "MB", "GB", "TB", "PB", "EB"][...]
    while value >= 999.95, units.count > 1 {
        value /= 1000
        units = units.dropFirst()
    }
    return String(format: "%.1f ", value) + units[units.startIndex]
}
