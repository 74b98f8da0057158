import PluginKit

/// The token embedding, `decoder.token_embedding.weight`, whose rows are also what makes logits.
package struct TokenEmbedding: Sendable {
    package let count: Int
    package let width: Int
    /// [count, width].
    private var rows: [Float]

    /// - Parameter rows: row-major, `width` numbers for each token.
    package init(_ rows: [Float], width: Int) {
        precondition(width > 0 && rows.count % width == 0, "\(rows.count) numbers in rows of \(width)")
        (self.rows, self.width, count) = (rows, width, rows.count / width)
    }

    package init(_ host: Host, _ run: Run) throws {
        let name = "decoder.token_embedding.weight"
        self = try host.weights(name) { tensor in
            guard tensor.shape == [run.nVocab, run.nTextState], run.nTextState > 0 else {
                throw PluginError(
                    .unsupported, "\(name) has shape \(tensor.shape), expected [\(run.nVocab), \(run.nTextState)]")
            }
            return TokenEmbedding(tensor.floats(), width: run.nTextState)
        }
        guard rows.allSatisfy(\.isFinite) else {
            throw PluginError(.unsupported, "\(name) has values that are not finite")
        }
    }

    /// The mean of the rows of `tokens`, which are all in range; zeros of none.
    package func mean(of tokens: some Collection<Int>) -> [Double] {
        var mean = [Double](repeating: 0, count: width)
        for token in tokens { for column in 0..<width { mean[column] += Double(rows[token * width + column]) } }
        return mean.map { $0 / Double(max(1, tokens.count)) }
    }

    /// Takes `mean` from every row.
    package mutating func subtract(_ mean: [Double]) {
        for place in rows.indices { rows[place] -= Float(mean[place % width]) }
    }

    /// The row of a token.
    package func row(_ token: Int) -> [Double] {
        rows[token * width..<(token + 1) * width].map(Double.init)
    }

    /// The length of each row.
    package var norms: [Double] {
        rows.withUnsafeBufferPointer { rows in
            (0..<count).map { token in
                (0..<width).reduce(0.0) { sum, column in
                    let value = Double(rows[token * width + column])
                    return sum + value * value
                }
                .squareRoot()
            }
        }
    }

    /// The cosine of each row with a vector of `width`; 0 where one of them is nothing.
    /// - Parameter norms: as ``norms`` gives them.
    package func cosines(with vector: [Double], norms: [Double]) -> [Double] {
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return rows.withUnsafeBufferPointer { rows in
            vector.withUnsafeBufferPointer { vector in
                (0..<count).map { token in
                    guard length > 0, norms[token] > 0 else { return 0 }
                    var sum = 0.0
                    for column in 0..<width { sum += Double(rows[token * width + column]) * vector[column] }
                    return sum / (length * norms[token])
                }
            }
        }
    }
}
