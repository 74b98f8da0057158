/// Puts words into segments and mends their times, as openai/whisper's `add_word_timestamps`.
package struct WordTimestamps {
    private let prepended: String
    private let appended: String

    package init(prepended: String, appended: String) {
        self.prepended = prepended
        self.appended = appended
    }

    /// - Parameters:
    ///   - segments: all of one window; their times may move to those of their words.
    ///   - texts: the text tokens of each.
    ///   - alignment: the words of all segments in order, in seconds from the start of the window.
    ///   - offset: where the window begins, in seconds.
    ///   - lastSpeech: where the last word before the window ended, in seconds.
    package func add(
        to segments: inout [Segment], texts: [[Int]], alignment: [WordTiming], offset: Double, lastSpeech: Double
    ) {
        var alignment = alignment
        var lastSpeech = lastSpeech
        let median = min(0.7, Self.medianDuration(of: alignment) ?? 0)
        if Self.medianDuration(of: alignment) != nil { Self.shortenAtSentenceEnds(&alignment, longest: 2 * median) }
        mergePunctuation(&alignment)
        var next = 0
        for index in segments.indices {
            var words: [Word] = []
            var taken = 0
            while next < alignment.count, taken < texts[index].count {
                let timing = alignment[next]
                if !timing.word.isEmpty {
                    words.append(
                        Word(
                            word: timing.word, start: Self.rounded(offset + timing.start),
                            end: Self.rounded(offset + timing.end), probability: timing.probability))
                }
                taken += timing.tokens.count
                next += 1
            }
            if !words.isEmpty {
                Self.shortenAfterPause(&words, median: median, lastSpeech: lastSpeech)
                Self.reconcile(&segments[index], &words, median: median)
                lastSpeech = segments[index].end
            }
            segments[index].words = words
        }
    }

    /// The median of the durations that are not zero, in seconds; nil where there are none.
    static func medianDuration(of alignment: [WordTiming]) -> Double? {
        let durations = alignment.map { $0.end - $0.start }.filter { $0 != 0 }.sorted()
        guard !durations.isEmpty else { return nil }
        let middle = durations.count / 2
        return durations.count % 2 == 1 ? durations[middle] : (durations[middle - 1] + durations[middle]) / 2
    }

    /// A mark that ends a sentence, and the word after it, take the pause between sentences; they are cut to `longest`.
    static func shortenAtSentenceEnds(_ alignment: inout [WordTiming], longest: Double) {
        let marks = ".。!！?？"
        for i in alignment.indices.dropFirst() where alignment[i].end - alignment[i].start > longest {
            if marks.containsScalars(of: alignment[i].word) {
                alignment[i].end = alignment[i].start + longest
            } else if marks.containsScalars(of: alignment[i - 1].word) {
                alignment[i].start = alignment[i].end - longest
            }
        }
    }

    /// Joins opening marks with the word after them and closing marks with the word before; what was joined
    /// to another is left empty.
    package func mergePunctuation(_ words: inout [WordTiming]) {
        var following = words.count - 1
        for i in words.indices.reversed().dropFirst() {
            if words[i].word.utf8.first == UInt8(ascii: " "),
                prepended.containsScalars(of: words[i].word.strippedOfWhitespace)
            {
                words[following].word = words[i].word + words[following].word
                words[following].tokens = words[i].tokens + words[following].tokens
                words[i].word = ""
                words[i].tokens = []
            } else {
                following = i
            }
        }
        var previous = 0
        for i in words.indices.dropFirst() {
            if words[previous].word.utf8.last != UInt8(ascii: " "), appended.containsScalars(of: words[i].word) {
                words[previous].word += words[i].word
                words[previous].tokens += words[i].tokens
                words[i].word = ""
                words[i].tokens = []
            } else {
                previous = i
            }
        }
    }

    /// After a pause the first two words may not be longer than twice the median: the pause is none of theirs.
    private static func shortenAfterPause(_ words: inout [Word], median: Double, lastSpeech: Double) {
        let longest = 2 * median
        let second = words.count > 1 ? words[1] : nil
        guard words[0].end - lastSpeech > median * 4,
            words[0].end - words[0].start > longest || (second.map { $0.end - words[0].start > longest * 2 } ?? false)
        else { return }
        if let second, second.end - second.start > longest {
            let boundary = max(second.end / 2, second.end - longest)
            words[0].end = boundary
            words[1].start = boundary
        }
        words[0].start = max(0, words[0].end - longest)
    }

    /// The segment takes the times of its first and last word, unless those are half a second too long; then
    /// they take the segment's.
    private static func reconcile(_ segment: inout Segment, _ words: inout [Word], median: Double) {
        if segment.start < words[0].end, segment.start - 0.5 > words[0].start {
            words[0].start = max(0, min(words[0].end - median, segment.start))
        } else {
            segment.start = words[0].start
        }
        let last = words.count - 1
        if segment.end > words[last].start, segment.end + 0.5 < words[last].end {
            words[last].end = max(words[last].start + median, segment.end)
        } else {
            segment.end = words[last].end
        }
    }

    /// To hundredths of a second.
    private static func rounded(_ seconds: Double) -> Double { (seconds * 100).rounded(.toNearestOrEven) / 100 }
}
