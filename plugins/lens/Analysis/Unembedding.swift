import Kernels
import PluginKit

/// What makes logits of a residual stream: `decoder.ln`, and the token embedding, whose rows are also its columns.
struct Unembedding {
    let width: Int
    let vocabulary: Int
    private let gain: [Float]
    private let bias: [Float]
    /// [vocabulary, width].
    private let embedding: [Float]

    init(_ host: Host, _ run: Run) throws {
        func weights(_ name: String, _ shape: [Int]) throws -> [Float] {
            try host.weights(name) { tensor in
                guard tensor.shape == shape else {
                    throw PluginError(.unsupported, "\(name) has shape \(tensor.shape), expected \(shape)")
                }
                return tensor.floats()
            }
        }
        (width, vocabulary) = (run.nTextState, run.nVocab)
        guard width > 0, vocabulary > 0 else {
            throw PluginError(.unsupported, "\(run.model) has \(vocabulary) tokens of width \(width)")
        }
        gain = try weights("decoder.ln.weight", [width])
        bias = try weights("decoder.ln.bias", [width])
        embedding = try weights("decoder.token_embedding.weight", [vocabulary, width])
    }

    /// - Parameters:
    ///   - stream: rows of `width`.
    ///   - logits: gets as many rows of `vocabulary`.
    func logits(of stream: UnsafePointer<Float>, rows: Int, into logits: UnsafeMutablePointer<Float>) {
        FloatMemory.withScratch(rows * width) { normalised in
            LayerNorm.rows(stream, into: normalised, rows: rows, columns: width, gain: gain, bias: bias)
            MatrixProduct.multiplyOnAllThreads(
                m: rows, n: vocabulary, k: width, normalised, lda: width, embedding, ldb: width, .columns,
                into: logits, ldc: vocabulary)
        }
    }
}
