/// What was heard.
public struct LensState: Codable {
    /// A recording some windows of which were heard.
    struct Open: Codable {
        /// One position of one window.
        struct Position: Codable {
            var window, position: Int
            /// The token that was read there, and the one that the model finds most probable behind it.
            var read, final: Int
            /// By layer.
            var tops, ranks: [Int]
            var logProbabilities: [Double]
        }

        var positions: [Position] = []
        /// By stage of the encoder: what was written of the windows so far.
        var texts: [String] = []
    }

    var recordings = 0
    /// By layer of the decoder: the embedding, then the blocks.
    var layers: [LayerSums] = []
    /// By layer: positions whose last token is the most probable one from this layer on.
    var settled: [Int] = []
    /// By stage of the encoder: convolutions, then blocks.
    var stages: [EncoderLens.StageSums] = []
    var open = Open()

    mutating func add(_ other: LensState) {
        recordings += other.recordings
        if layers.isEmpty {
            (layers, settled) = (other.layers, other.settled)
        } else {
            for (layer, sums) in other.layers.enumerated() { layers[layer].add(sums) }
            for (layer, count) in other.settled.enumerated() { settled[layer] += count }
        }
        if stages.isEmpty {
            stages = other.stages
        } else {
            for (stage, sums) in other.stages.enumerated() { stages[stage].add(sums) }
        }
        open = other.open
    }

    /// Whether the numbers can be what a run makes, and can be added to these.
    func takes(_ other: LensState) -> Bool {
        func fits(_ own: Int, _ others: Int) -> Bool { own == 0 || others == 0 || own == others }
        let range = 0..<1 << 48
        return range.contains(other.recordings) && fits(layers.count, other.layers.count)
            && fits(stages.count, other.stages.count) && other.settled.count == other.layers.count
            && other.settled.allSatisfy(range.contains) && other.layers.allSatisfy(\.isSound)
            && other.stages.allSatisfy(\.isSound)
            && other.open.positions.allSatisfy { position in
                [position.tops.count, position.ranks.count, position.logProbabilities.count]
                    .allSatisfy { $0 == position.tops.count && $0 == other.layers.count }
                    && ([position.read, position.final] + position.tops).allSatisfy { (0..<1 << 31).contains($0) }
            }
    }
}
