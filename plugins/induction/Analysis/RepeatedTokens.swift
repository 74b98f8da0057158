import PluginDraws
import PluginKit
import PluginTranscripts
import PluginVocabulary

/// Random tokens, twice (Olsson et al. 2022, arXiv 2209.11895): where do heads look from the second copy, and is it copied?
///
/// The encoder hears nothing. The null is a second half of other random tokens, behind the same first.
struct RepeatedTokens {
    /// How probable the tokens of the second copy are.
    struct Copying {
        /// Means over tokens, nats: of the first copy, of the second, and of other tokens behind the first copy.
        var first = 0.0, second = 0.0, other = 0.0
        /// The share of the second copy whose next token is the most probable.
        var top = 0.0
        var tokens = 0
    }

    let host: Host
    let run: Run
    /// What the decoder reads before.
    let prompt: [Int32]
    /// Tokens of text, from which is drawn.
    let text: Int
    /// Tokens of a copy.
    let length: Int
    let sequences: Int

    /// - Parameter table: gets a trial for each sequence and head.
    func measure(into table: inout HeadTable) throws -> Copying {
        var draws = SplitMix(seed: Hashing.key(seed: run.seed, purpose: "repeated tokens", ""))
        var copying = Copying()
        for sequence in 0..<sequences {
            try host.checkCancellation()
            host.progress(Double(sequence + 1), of: Double(sequences), unit: "sequences of tokens")
            let first = draw(&draws), other = draw(&draws)
            let repeated = try patterns(first + first) { logits in
                try judge(logits, first + first, &copying, isNull: false)
            }
            let null = try patterns(first + other) { logits in try judge(logits, first + other, &copying, isNull: true)
            }
            guard repeated.count == null.count else {
                throw PluginError(.failed, "two runs of the model gave \(repeated.count) and \(null.count) layers")
            }
            for (layer, pair) in zip(repeated, null).enumerated() { score(layer, pair.0, pair.1, &table) }
        }
        let count = Double(max(1, copying.tokens))
        copying.first /= count
        copying.second /= count
        copying.other /= count
        copying.top /= count
        return copying
    }

    private func draw(_ draws: inout SplitMix) -> [Int32] {
        // No token twice, so that nothing is repeated but the whole.
        var drawn: [Int32] = []
        while drawn.count < length {
            let token = Int32(draws.next(below: text))
            if !drawn.contains(token) { drawn.append(token) }
        }
        return drawn
    }

    /// A layer's pattern: heads by queries by keys.
    struct Pattern {
        let heads: Int
        let positions: Int
        let values: [Float]
        func callAsFunction(_ head: Int, _ query: Int, _ key: Int) -> Double {
            Double(values[(head * positions + query) * positions + key])
        }
    }

    private func patterns(_ tokens: [Int32], _ logits: (TensorView) throws -> Void) throws -> [Pattern] {
        var found: [Pattern] = []
        let sequence = prompt + tokens
        try host.run(nil, tokens: sequence, hooks: ["decoder.blocks.*.attn.pattern", "decoder.logits"]) { tensor in
            guard tensor.hook != "decoder.logits" else { return try logits(tensor) }
            guard tensor.rank == 3, tensor.shape[1] == sequence.count, tensor.shape[2] == sequence.count else {
                throw PluginError(
                    .unsupported,
                    "\(tensor.hook) has shape \(tensor.shape), expected [heads, \(sequence.count), \(sequence.count)]")
            }
            found.append(Pattern(heads: tensor.shape[0], positions: sequence.count, values: tensor.floats()))
        }
        return found
    }

    private func score(_ layer: Int, _ repeated: Pattern, _ null: Pattern, _ table: inout HeadTable) {
        // Of the second copy; its last token was followed by the second copy itself.
        let start = prompt.count + length, queries = 0..<length - 1
        for head in 0..<min(repeated.heads, null.heads) {
            func mean(_ value: (Int) -> Double) -> Double {
                queries.reduce(0.0) { $0 + value($1) } / Double(max(1, queries.count))
            }
            func share(_ pattern: Pattern, _ shift: Int) -> Double {
                mean { pattern(head, start + $0, prompt.count + $0 + shift) }
            }
            table.add(
                .decoderInduction, layer: layer, head: head, score: share(repeated, 1), null: share(null, 1))
            table.add(
                .decoderDuplicate, layer: layer, head: head, score: share(repeated, 0), null: share(null, 0))
            // Where nothing is repeated: beside even attention to the random tokens before, and to all.
            table.add(
                .decoderPrevious, layer: layer, head: head, score: mean { null(head, start + $0, start + $0 - 1) },
                null: mean { query in
                    let before = prompt.count..<start + query
                    return before.reduce(0.0) { $0 + null(head, start + query, $1) } / Double(before.count)
                })
            table.add(
                .decoderFirst, layer: layer, head: head, score: mean { null(head, start + $0, 0) },
                null: mean { 1 / Double(start + $0 + 1) })
        }
    }

    private func judge(_ logits: TensorView, _ tokens: [Int32], _ copying: inout Copying, isNull: Bool) throws {
        let width = run.nVocab
        guard logits.shape == [prompt.count + tokens.count, width] else {
            throw PluginError(
                .unsupported,
                "decoder.logits has shape \(logits.shape), expected [\(prompt.count + tokens.count), \(width)]")
        }
        logits.withUnsafeFloats { values in
            func row(_ place: Int) -> UnsafeBufferPointer<Float> {
                // What is read at a place says what comes behind it.
                let start = (prompt.count + place - 1) * width
                return UnsafeBufferPointer(rebasing: values[start..<start + width])
            }
            // The first token of a copy is known from nothing.
            for place in 1..<length {
                let second = row(length + place), next = Int(tokens[length + place])
                let probability = logSoftmax(second, next)
                guard !isNull else {
                    copying.other += probability
                    continue
                }
                copying.tokens += 1
                copying.second += probability
                copying.first += logSoftmax(row(place), Int(tokens[place]))
                if second.allSatisfy({ $0 <= second[next] }) { copying.top += 1 }
            }
        }
    }
}
