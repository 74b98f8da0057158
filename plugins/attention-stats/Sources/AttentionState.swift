import PluginKit

/// One layer's heads.
struct LayerSums: Codable, Equatable {
    let kind: AttentionKind
    let layer: Int
    var heads: [HeadSums]
}

/// What the analysis has heard: by the name of the hook point.
struct AttentionState: Codable, Equatable {
    /// The distances that the sums were made for: others' cannot be added to them.
    let within: [Int]
    var layers: [String: LayerSums] = [:]
    var recordings = 0
    /// The recording whose last window was not heard yet, where results for each are wanted.
    var open: OpenRecording?

    struct OpenRecording: Codable, Equatable {
        let recording: UInt64
        let name: String
        var layers: [String: LayerSums] = [:]
    }

    mutating func add(_ other: AttentionState) throws {
        guard other.within == within else {
            throw PluginError(
                .invalidArgument, "the saved state has shares within \(other.within), this run has \(within)")
        }
        var merged = layers
        for (hook, sums) in other.layers {
            guard Self.add(sums, to: &merged, hook) else {
                throw PluginError(.invalidArgument, "the saved sums of \(hook) do not fit this run's")
            }
        }
        let (count, overflow) = recordings.addingReportingOverflow(other.recordings)
        guard other.recordings >= 0, !overflow, count < 1 << 62 else {
            throw PluginError(.invalidArgument, "the saved state has \(other.recordings) recordings")
        }
        layers = merged
        recordings = count
        open = other.open ?? open
    }

    /// - Returns: false where the heads differ in number or size, or a sum has no room.
    static func add(_ sums: LayerSums, to layers: inout [String: LayerSums], _ hook: String) -> Bool {
        guard var known = layers[hook] else {
            layers[hook] = sums
            return true
        }
        guard known.kind == sums.kind, known.layer == sums.layer, known.heads.count == sums.heads.count else {
            return false
        }
        for head in sums.heads.indices {
            guard known.heads[head].add(sums.heads[head]) else { return false }
        }
        layers[hook] = known
        return true
    }

    /// Whether the sums have the sizes that `layout` says: what was saved may be damaged.
    func fits(_ layout: HeadLayout) -> Bool {
        ([layers] + [open?.layers ?? [:]]).allSatisfy { layers in
            layers.allSatisfy { hook, sums in
                AttentionKind.of(hook: hook).map { $0 == (sums.kind, sums.layer) } == true
                    && sums.heads.count <= 4096
                    && sums.heads.allSatisfy { head in
                        head.sums.values.count == layout.count
                            && [head.placed, head.wide, head.sinkable].allSatisfy { $0 >= 0 && $0 <= head.rows }
                    }
            }
        }
    }
}
