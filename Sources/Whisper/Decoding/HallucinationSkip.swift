/// Skips silence in which the model seems to invent words, as openai/whisper does with
/// `hallucination_silence_threshold`.
///
/// A segment is suspicious where its first words are very short, very long or improbable.
struct HallucinationSkip {
    /// Silences longer than this count, in seconds.
    let threshold: Double
    let window: Window
    let contentFrames: Int
    /// Where the last word before the window ended, in seconds.
    let lastSpeech: Double

    /// Takes invented segments away and moves `next` behind the silence before them.
    /// - Returns: whether the segments stand; if not, the window is to be heard again from `next` on.
    func apply(to cut: inout Cut) -> Bool {
        if !cut.endsWithOneTimestamp, let end = cut.segments.lastWordEnd, end > window.start {
            cut.next = window.end - end > threshold ? melFrame(at: end) : window.seek + window.frames
        }
        if let first = cut.segments.first(where: \.hasWords), first.isSuspicious {
            let gap = first.start - window.start
            if gap > threshold {
                cut.next = window.seek + melFrame(at: gap)
                return false
            }
        }
        dropSurroundedBySilence(&cut)
        return true
    }

    /// Drops the first suspicious segment that has silence, or more of its kind, on both sides, and all behind it.
    private func dropSurroundedBySilence(_ cut: inout Cut) {
        var previousEnd = lastSpeech
        for (index, segment) in cut.segments.enumerated() where segment.hasWords {
            if segment.isSuspicious {
                let following = cut.segments[(index + 1)...].first(where: \.hasWords)
                let followingStart = following?.words?.first?.start ?? window.start + window.duration
                let silenceBefore =
                    segment.start - previousEnd > threshold || segment.start < threshold
                    || segment.start - window.start < 2
                let silenceAfter =
                    followingStart - segment.end > threshold || (following?.isSuspicious ?? false)
                    || window.end - segment.end < 2
                if silenceBefore && silenceAfter {
                    let isLast = Double(contentFrames) / 100 - segment.end < threshold
                    cut.next = isLast ? contentFrames : melFrame(at: max(window.start + 1, segment.start))
                    cut.segments.removeSubrange(index...)
                    return
                }
            }
            previousEnd = segment.end
        }
    }
}

extension Segment {
    fileprivate var hasWords: Bool { !(words ?? []).isEmpty }

    /// Whether its first eight words, punctuation left out, add up to an anomaly.
    fileprivate var isSuspicious: Bool {
        guard let words, !words.isEmpty else { return false }
        let punctuation = "\"'“¿([{-\"'.。,，!！?？:：”)]}、"
        let spoken = words.filter { !punctuation.containsScalars(of: $0.word) }.prefix(8)
        let score = spoken.reduce(0) { $0 + $1.anomaly }
        return score >= 3 || score + 0.01 >= Double(spoken.count)
    }
}

extension Word {
    /// 1 for an improbable word, more for one shorter than 0.133 s or longer than 2 s.
    fileprivate var anomaly: Double {
        let duration = end - start
        return (probability < 0.15 ? 1 : 0) + (duration < 0.133 ? (0.133 - duration) * 15 : 0)
            + (duration > 2 ? duration - 2 : 0)
    }
}
