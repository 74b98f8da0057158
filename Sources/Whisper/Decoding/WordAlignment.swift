import Foundation
import Kernels

/// A word, the tokens that spell it, and when it was spoken.
package struct WordTiming: Equatable {
    package var word: String
    package var tokens: [Int]
    /// Seconds from the start of the window.
    package var start: Double
    package var end: Double
    package var probability: Double

    package init(word: String, tokens: [Int], start: Double, end: Double, probability: Double) {
        self.word = word
        self.tokens = tokens
        self.start = start
        self.end = end
        self.probability = probability
    }
}

/// Aligns text with audio by the cross-attention of a few heads, as openai/whisper's `find_alignment`.
package struct WordAlignment {
    private let model: any SpeechModel
    private let tokenizer: Tokenizer
    private let heads: [GenerationConfig.AlignmentHead]

    package init(_ model: any SpeechModel, _ tokenizer: Tokenizer, heads: [GenerationConfig.AlignmentHead]) {
        self.model = model
        self.tokenizer = tokenizer
        self.heads = heads
    }

    /// - Parameters:
    ///   - text: text tokens only.
    ///   - start: the start sequence, language and task among it.
    ///   - audio: the encoder's output for the window.
    ///   - frames: encoder frames that hold the recording; the rest of the window is padding.
    /// - Returns: the words in order, the last of them `<|endoftext|>` left out; empty where there is no text.
    package func callAsFunction(
        _ text: [Int], start: [Int], language: String, audio: Tensor, frames: Int
    ) throws -> [WordTiming] {
        // What goes beyond the context cannot be read, and stays without times.
        let text = Array(text.prefix(max(0, model.dimensions.nTextCtx - start.count - 2)))
        guard !text.isEmpty else { return [] }
        let tokens = start + [tokenizer.noTimestamps] + text + [tokenizer.endOfText]
        let (scores, logits) = try model.crossAttention(of: heads, tokens: tokens, audio: audio)
        let probabilities = probabilities(of: text, logits: logits, from: start.count)

        let frames = min(max(frames, 0), model.dimensions.nAudioCtx)
        let rows = start.count..<tokens.count - 1
        let path = dynamicTimeWarping(
            alignmentCosts(scores, frames: frames, rows: rows), rows: rows.count, columns: frames)
        // When each token begins: the first frame of its row.
        var times: [Double] = []
        for cell in path where cell.row == times.count { times.append(Double(cell.column) / framesPerSecond) }

        let words = tokenizer.splitToWordTokens(text + [tokenizer.endOfText], language: language).dropLast()
        var first = 0
        return words.map { word in
            let range = first..<first + word.tokens.count
            first = range.upperBound
            return WordTiming(
                word: word.word, tokens: word.tokens, start: times[range.lowerBound], end: times[range.upperBound],
                probability: probabilities[range].reduce(0, +) / Double(range.count))
        }
    }

    /// The probability of each text token among all text tokens.
    private func probabilities(of text: [Int], logits: Tensor, from start: Int) -> [Double] {
        text.enumerated().map { index, token in
            let row = logits.rows(start + index..<start + index + 1).elements
            return Double(exp(row[token] - row.logSumExp(in: 0..<tokenizer.endOfText)))
        }
    }

    /// For each of `rows` and each frame, minus the heads' mean of: softmax over frames, standardised over
    /// tokens, median of seven frames. `rows.count × frames`.
    private func alignmentCosts(_ scores: [Tensor], frames: Int, rows: Range<Int>) -> [Float] {
        var costs = [Float](repeating: 0, count: rows.count * frames)
        for head in scores {
            var weights = (0..<head.shape[0]).map { softmax(Array(head.rows($0..<$0 + 1).elements.prefix(frames))) }
            standardise(&weights)
            for (index, row) in rows.enumerated() {
                let filtered = medianFiltered(weights[row], width: 7)
                for frame in 0..<frames { costs[index * frames + frame] += filtered[frame] }
            }
        }
        return costs.map { -$0 / Float(scores.count) }
    }

    private func softmax(_ row: [Float]) -> [Float] {
        let peak = row.max() ?? 0
        let powers = row.map { exp($0 - peak) }
        let sum = Float(powers.reduce(0.0) { $0 + Double($1) })
        return powers.map { $0 / sum }
    }

    /// Each frame's weights to mean 0 and standard deviation 1 over the tokens.
    private func standardise(_ weights: inout [[Float]]) {
        let count = Double(weights.count)
        for frame in weights[0].indices {
            let mean = weights.reduce(0.0) { $0 + Double($1[frame]) } / count
            let variance = weights.reduce(0.0) { $0 + (Double($1[frame]) - mean) * (Double($1[frame]) - mean) } / count
            for token in weights.indices {
                weights[token][frame] = (weights[token][frame] - Float(mean)) / Float(variance.squareRoot())
            }
        }
    }
}

/// Encoder frames, and timestamp tokens, in a second.
let framesPerSecond = 50.0
