/// A range of positions as a text has it: half open; a bound that is left out is the first or the last position.
struct PositionBounds: Sendable {
    enum Bound: Sendable {
        case open
        case position(Int)
        case seconds(Double)
    }

    let word: HookWords.Word
    let lower: Bound
    let upper: Bound

    /// Whether a bound is a time.
    var isTimed: Bool { [lower, upper].contains { if case .seconds = $0 { true } else { false } } }

    /// The positions, where frames come so many a second.
    /// - Throws: ``WhisperError`` (`invalidArgument`) for a range without a position, and for seconds where positions have no time.
    func range(perSecond: Double?, of hook: String, in words: HookWords) throws -> Range<Int> {
        func position(_ bound: Bound, _ open: Int) throws -> Int {
            switch bound {
            case .open: return open
            case .position(let position): return position
            case .seconds(let seconds):
                guard let perSecond else {
                    throw words.error(
                        "\(seconds) s is no position, since \(hook) has none in time; expected tokens", at: word)
                }
                return Int((seconds * perSecond).rounded())
            }
        }
        let lower = try position(lower, 0), upper = try position(upper, .max)
        guard lower < upper else { throw words.error("the range \(word.text) is empty", at: word) }
        return lower..<upper
    }
}

extension HookWords {
    /// `a:b` in positions or (`1.5s`) in seconds.
    mutating func bounds() throws -> PositionBounds {
        let word = try next("a range, as in 50:100")
        let parts = word.text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw error("expected a range, as in 50:100, not \"\(word.text)\"", at: word) }
        return PositionBounds(word: word, lower: try bound(parts[0], word), upper: try bound(parts[1], word))
    }

    private func bound(_ part: Substring, _ word: Word) throws -> PositionBounds.Bound {
        if part.isEmpty { return .open }
        if let position = Int(part), position >= 0 { return .position(position) }
        if part.hasSuffix("s"), let seconds = Double(part.dropLast()), (0..<1e6).contains(seconds) {
            return .seconds(seconds)
        }
        throw error("\"\(part)\" is no position; expected a number, or seconds as in 1.5s", at: word)
    }
}
