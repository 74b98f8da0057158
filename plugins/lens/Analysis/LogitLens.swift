import Kernels
import PluginKit

/// The logit lens (nostalgebraist 2020): the decoder's residual stream after each block, read as if it were the last one.
struct LogitLens {
    /// The residual stream before the first block, and after each.
    static let hooks = ["decoder.blocks.0.resid_pre", "decoder.blocks.*", "decoder.logits"]

    private let unembedding: Unembedding

    init(_ unembedding: Unembedding) { self.unembedding = unembedding }

    /// What a layer is called: "embedding", then blocks by their numbers.
    static func name(_ layer: Int) -> String { layer == 0 ? "embedding" : "block \(layer - 1)" }

    /// What is predicted at each position of a clip from `first` on.
    struct Reading {
        /// By layer, then by position.
        var predictions: [[Prediction]]
        /// The most probable token in the end, by position.
        var final: [Int]
    }

    /// - Parameters:
    ///   - first: the position to begin at, in tokens.
    ///   - progress: is told how many of how many layers are done.
    func read(_ clip: Clip, from first: Int, progress: (Int, Int) throws -> Void) throws -> Reading {
        let logits = try clip.tensor("decoder.logits")
        let streams = clip.tensors.filter { $0.hook != "decoder.logits" }
        let rows = (logits.shape.first ?? 0) - first, vocabulary = unembedding.vocabulary, width = unembedding.width
        guard logits.shape.count == 2, logits.shape[1] == vocabulary, rows > 0 else {
            throw PluginError(
                .unsupported,
                "decoder.logits of \(clip.name) has shape \(logits.shape); expected more than \(first) tokens by "
                    + "\(vocabulary)")
        }
        for stream in streams where stream.shape != [rows + first, width] {
            throw PluginError(
                .unsupported,
                "\(stream.hook) of \(clip.name) has shape \(stream.shape), expected [\(rows + first), \(width)]")
        }
        return try logits.withUnsafeFloats { all in
            let last = UnsafeBufferPointer(rebasing: all[(first * vocabulary)...])
            let partitions = (0..<rows).map { Prediction.partition(Self.row($0, of: last, vocabulary)) }
            let final = (0..<rows).map { Prediction.top(Self.row($0, of: last, vocabulary)) }
            guard partitions.allSatisfy(\.isFinite) else {
                throw PluginError(.failed, "decoder.logits of \(clip.name) has values that are not finite")
            }
            var layers: [[Prediction]] = []
            for stream in streams {
                layers.append(try predictions(stream, from: first, rows: rows, last, partitions))
                try progress(layers.count, streams.count)
            }
            return Reading(predictions: layers, final: final)
        }
    }

    private static func row(
        _ row: Int, of logits: UnsafeBufferPointer<Float>, _ width: Int
    ) -> UnsafeBufferPointer<Float> { UnsafeBufferPointer(rebasing: logits[row * width..<(row + 1) * width]) }

    private func predictions(
        _ stream: TensorView, from first: Int, rows: Int, _ last: UnsafeBufferPointer<Float>, _ partitions: [Double]
    ) throws -> [Prediction] {
        let (vocabulary, width) = (unembedding.vocabulary, unembedding.width)
        var found = [Prediction](repeating: Prediction(), count: rows)
        stream.withUnsafeFloats { values in
            guard let start = values.baseAddress else { return }
            // So many rows at a time that their logits take little memory.
            let step = 32
            FloatMemory.withScratch(min(step, rows) * vocabulary) { logits in
                for block in stride(from: 0, to: rows, by: step) {
                    let count = min(step, rows - block)
                    unembedding.logits(of: start + (first + block) * width, rows: count, into: logits)
                    let read = Rows(base: logits)
                    found.withUnsafeMutableBufferPointer { found in
                        let places = Places(base: found.baseAddress! + block)
                        Parallel.forEach(count) { row in
                            places.base[row] = Prediction(
                                UnsafeBufferPointer(start: read.base + row * vocabulary, count: vocabulary),
                                final: Self.row(block + row, of: last, vocabulary),
                                finalPartition: partitions[block + row])
                        }
                    }
                }
            }
        }
        guard found.allSatisfy({ $0.divergence.isFinite && $0.logProbability.isFinite }) else {
            throw PluginError(.failed, "\(stream.hook) has values that are not finite")
        }
        return found
    }

    // Sendable: tasks read one, and write places of their own in the other.
    private struct Rows: @unchecked Sendable { let base: UnsafeMutablePointer<Float> }
    private struct Places: @unchecked Sendable { let base: UnsafeMutablePointer<Prediction> }
}
