import Foundation
import Kernels

// Objectives at the logits.

extension Objective {
    /// The log-probability of the tokens that the decoder read, from number `prompt` on, each given those before it.
    /// - Parameter tokens: what the decoder reads, the prompt first.
    /// - Throws: ``WhisperError`` (`invalidArgument`) where there is no token after the prompt, or none before the first.
    public static func logProbability(of tokens: [Int], after prompt: Int) throws -> Objective {
        guard prompt >= 1 else {
            throw WhisperError(
                .invalidArgument, "a log-probability needs at least one token before those that it is of")
        }
        guard tokens.count > prompt else {
            throw WhisperError(
                .invalidArgument,
                "the objective is the log-probability of a text without tokens: there is nothing after the \(prompt) of the prompt"
            )
        }
        return Objective(atLogits: tokens.count - 1) { logits, columns in
            var value = 0.0, g = Tensor(shape: logits.shape)
            try logits.withUnsafeBufferPointer { logits in
                try g.withUnsafeMutableBufferPointer { g in
                    for position in prompt - 1..<tokens.count - 1 {
                        let token = tokens[position + 1]
                        guard (0..<columns).contains(token) else { throw stray(token, columns) }
                        let row = UnsafeBufferPointer(rebasing: logits[position * columns..<(position + 1) * columns])
                        let peak = Reductions.largest(row)
                        let logSum = Double(peak) + log(Reductions.sumOfExponentials(row, shift: peak))
                        value += Double(row[token]) - logSum
                        let slopes = UnsafeMutableBufferPointer(
                            rebasing: g[position * columns..<(position + 1) * columns])
                        guard let out = slopes.baseAddress, let from = row.baseAddress else { continue }
                        out.update(from: from, count: columns)
                        Softmax.rows(out, rows: 1, columns: columns, stride: columns)
                        Elementwise.scale(out, by: -1, into: out, count: columns)
                        slopes[token] += 1
                    }
                }
            }
            return (value, g)
        }
    }

    /// The logit of a token behind position `position` of what the decoder reads, less that of another where there is one.
    public static func logit(of token: Int, minus other: Int? = nil, behind position: Int) -> Objective {
        Objective(atLogits: position) { logits, columns in
            for token in [token, other ?? token] where !(0..<columns).contains(token) { throw stray(token, columns) }
            var g = Tensor(shape: logits.shape)
            g[position, token] = 1
            var value = Double(logits[position, token])
            if let other {
                g[position, other] -= 1
                value -= Double(logits[position, other])
            }
            return (value, g)
        }
    }

    /// - Parameter last: the last position that it reads.
    private init(
        atLogits last: Int, _ evaluate: @escaping @Sendable (Tensor, Int) throws -> (Double, Tensor)
    ) {
        self.init(HookPoint(.decoder, .logits)) { logits in
            guard logits.rank == 2, (0..<logits.shape[0]).contains(last) else {
                throw WhisperError(
                    .invalidArgument,
                    "the objective reads the logits behind token \(last); the decoder read \(logits.shape.first ?? 0) tokens, the first of them 0"
                )
            }
            return try evaluate(logits, logits.shape[1])
        }
    }

    private static func stray(_ token: Int, _ vocabulary: Int) -> WhisperError {
        WhisperError(.invalidArgument, "token \(token) is outside the vocabulary of \(vocabulary) tokens")
    }
}
