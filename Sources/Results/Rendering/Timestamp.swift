/// A time as openai/whisper writes it: `01:02.345`, with hours where there are some or `alwaysHours` is set.
///
/// Milliseconds are rounded half to even, as Python rounds.
package func timestamp(_ seconds: Double, alwaysHours: Bool = false, decimalMark: String = ".") -> String {
    let milliseconds = (max(seconds, 0) * 1000).rounded(.toNearestOrEven).clamped
    func digits(_ value: Int, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(count - text.count, 0)) + text
    }
    let hours = milliseconds / 3_600_000
    let text =
        digits(milliseconds / 60_000 % 60, 2) + ":" + digits(milliseconds / 1000 % 60, 2)
        + decimalMark + digits(milliseconds % 1000, 3)
    return alwaysHours || hours > 0 ? digits(hours, 2) + ":" + text : text
}

extension Double {
    /// The whole number that this is nearest to, whatever a peer sent: 0 for what is no number.
    package var clamped: Int { isNaN ? 0 : Int(exactly: rounded()) ?? (self < 0 ? .min : .max) }
}
