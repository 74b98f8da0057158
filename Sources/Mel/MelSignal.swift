/// A finite signal as frames see it: what sounds, then silence up to its length, reflected at both ends:
/// x[−i] = x[i], x[n−1+i] = x[n−1−i]. Where it is shorter than a frame reaches, the reflection goes back and forth.
struct MelSignal {
    /// The samples that are there.
    let content: UnsafeBufferPointer<Float>
    /// Samples with the silence behind them.
    let length: Int

    init(_ content: UnsafeBufferPointer<Float>, length: Int) {
        precondition(content.count <= length, "\(content.count) samples in a signal of \(length)")
        (self.content, self.length) = (content, length)
    }

    /// Neighbouring frames of one kind.
    struct Run: Equatable {
        enum Kind {
            /// Their samples lie one after the other in the content.
            case whole
            /// They reach nothing but the silence.
            case silent
            /// They reach an end of the content or of the signal.
            case edge
        }
        let kind: Kind
        let frames: Range<Int>
    }

    /// Splits frames into runs, in order.
    func runs(of frames: Range<Int>) -> [Run] {
        let (hop, reach) = (LogMel.hop, LogMel.reach)
        let first = (reach + hop - 1) / hop
        let whole = first..<max(first, (content.count - reach) / hop + 1)
        let firstSilent = (content.count + reach + hop - 1) / hop
        let silent = firstSilent..<max(firstSilent, (length - reach) / hop + 1)
        var runs: [Run] = []
        func append(_ kind: Run.Kind, _ range: Range<Int>) {
            let range = range.clamped(to: frames)
            if !range.isEmpty { runs.append(Run(kind: kind, frames: range)) }
        }
        append(.edge, 0..<whole.lowerBound)
        append(.whole, whole)
        append(.edge, whole.upperBound..<max(whole.upperBound, silent.lowerBound))
        append(.silent, silent)
        append(.edge, max(whole.upperBound, silent.upperBound)..<Int.max)
        return runs
    }

    /// All samples that some frames reach, from 200 before the first one's centre, copied.
    func samples(of frames: Range<Int>) -> [Float] {
        let first = frames.lowerBound * LogMel.hop - LogMel.reach
        let end = (frames.upperBound - 1) * LogMel.hop + LogMel.reach
        return (first..<end).map(sample)
    }

    private func sample(_ index: Int) -> Float {
        let period = max(2 * (length - 1), 1)
        let phase = ((index % period) + period) % period
        let at = min(phase, period - phase)
        return at < content.count ? content[at] : 0
    }
}
