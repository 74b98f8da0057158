import Kernels

/// A rule that takes tokens out of the choice before one is sampled.
package protocol LogitFilter {
    /// - Parameters:
    ///   - logits: what follows the last token, `[n_vocab]`; a suppressed token's becomes -∞.
    ///   - sampled: what was sampled so far, without the prompt and the start tokens.
    func apply(_ logits: inout [Float], sampled: ArraySlice<Int>)
}

/// A transcript begins neither with a lone space nor with its end.
package struct SuppressBlank: LogitFilter {
    let blank: [Int]

    package init(_ tokenizer: Tokenizer) { blank = tokenizer.encode(" ") + [tokenizer.endOfText] }

    package func apply(_ logits: inout [Float], sampled: ArraySlice<Int>) {
        guard sampled.isEmpty else { return }
        for id in blank { logits.suppress(id..<id + 1) }
    }
}

/// Tokens that are never sampled.
package struct SuppressTokens: LogitFilter {
    let tokens: [Int]

    package func apply(_ logits: inout [Float], sampled: ArraySlice<Int>) {
        for id in tokens { logits.suppress(id..<id + 1) }
    }
}

extension SuppressTokens {
    /// The tokens that the options name, and with them the start and task tokens, which have no place in a transcript.
    package init(_ tokenizer: Tokenizer, _ tokens: [Int]) {
        var ids = Set(tokens.filter { $0 >= 0 })
        if tokens.contains(-1) { ids.formUnion(tokenizer.nonSpeechTokens) }
        let marks = ["<|transcribe|>", "<|translate|>", "<|startofprev|>", "<|startoflm|>"]
            .compactMap(tokenizer.special)
        ids.formUnion(marks + [tokenizer.startOfTranscript] + [tokenizer.noSpeech].compactMap { $0 })
        self.init(tokens: ids.sorted())
    }
}

/// Tokens that the vocabulary does not name, behind the last timestamp of a padded embedding.
package struct SuppressUnnamed: LogitFilter {
    let first: Int

    package func apply(_ logits: inout [Float], sampled: ArraySlice<Int>) {
        logits.suppress(first..<max(first, logits.count))
    }
}

/// Timestamps come in pairs, never run backwards, and are taken where together they outweigh any one word.
///
/// Equal to openai/whisper's `ApplyTimestampRules`.
package struct TimestampRules: LogitFilter {
    let begin: Int
    let endOfText: Int
    let noTimestamps: Int
    /// The latest first timestamp, in steps of 0.02 s.
    let maxInitialIndex: Int?

    package init(_ tokenizer: Tokenizer, maxInitialIndex: Int?) {
        begin = tokenizer.timestampBegin
        endOfText = tokenizer.endOfText
        noTimestamps = tokenizer.noTimestamps
        self.maxInitialIndex = maxInitialIndex
    }

    package func apply(_ logits: inout [Float], sampled: ArraySlice<Int>) {
        logits.suppress(noTimestamps..<noTimestamps + 1)
        pair(&logits, sampled)
        if sampled.isEmpty {
            logits.suppress(0..<begin)
            if let maxInitialIndex {
                let first = begin + maxInitialIndex + 1
                logits.suppress(first..<max(first, logits.count))
            }
        }
        preferTimestamp(&logits)
    }

    /// After one timestamp comes its twin or the end; after two comes text; and none is earlier than the last.
    private func pair(_ logits: inout [Float], _ sampled: ArraySlice<Int>) {
        let lastWasTimestamp = sampled.last.map { $0 >= begin } ?? false
        let secondLastWasTimestamp = sampled.count < 2 || sampled[sampled.endIndex - 2] >= begin
        if lastWasTimestamp {
            logits.suppress(secondLastWasTimestamp ? begin..<max(begin, logits.count) : 0..<endOfText)
        }
        if let latest = sampled.last(where: { $0 >= begin }) {
            // The twin may be equal; the end of a segment may not, or segments of no length would loop for ever.
            let isTwin = lastWasTimestamp && !secondLastWasTimestamp
            logits.suppress(begin..<(isTwin ? latest : latest + 1))
        }
    }

    private func preferTimestamp(_ logits: inout [Float]) {
        guard begin < logits.count else { return }
        let timestamps = logits.logSumExp(in: begin..<logits.count)
        let text = logits.withUnsafeBufferPointer { Reductions.largest(UnsafeBufferPointer(rebasing: $0[..<begin])) }
        if begin > 0, timestamps > text { logits.suppress(0..<begin) }
    }
}
