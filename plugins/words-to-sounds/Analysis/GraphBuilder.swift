import PluginKit

/// Finds the graph of one word: attributions by gradient · activation, from the word back to the sound, and what the model does without each node.
///
/// The word's log-probability is differentiated with respect to everything before it; the nodes of each kind with the largest attribution are kept. Then
/// each kept node u is read as a number, S(u) = Σ g·x over its activation x with the gradient g, and differentiated itself: S of a head with
/// respect to features, S of a feature with respect to the heads of the encoder, S of those with respect to the log-mel. So an edge's attribution
/// is what a node gives to the word *through* the next, by all ways between the two. Each node is then taken away (set to zero; a
/// mel cell to silence), and what the word and each S lose is the effect.
struct GraphBuilder {
    struct Size {
        var crossHeads = 4, features = 8, encoderHeads = 6, cells = 8
    }

    let listener: Listener
    let kind: FeatureKind
    let size: Size
    let cells: MelCells
    let progress: () -> Void

    private let sound: Listener.Sound

    init(
        _ listener: Listener, _ kind: FeatureKind, _ size: Size, _ cells: MelCells, progress: @escaping () -> Void
    ) {
        (self.listener, self.kind, self.size, self.cells, self.progress) = (listener, kind, size, cells, progress)
        sound = .logMel(cells.mel, bands: cells.bands, valid: cells.valid)
    }

    /// A node with how it is read, differentiated and taken away.
    private struct Part {
        let node: Graph.Node
        let hook: String
        /// Weights g at its hook point: S = Σ g·x.
        let weights: [Float]
        let shape: [Int]
        /// Of a head.
        var head: Int?
        /// What S is read off, where that is not the hook point's own values: a latent's codes.
        let feature: (EncoderFeature, weights: [Float])?
        let change: Change
    }

    private enum Change {
        case intervention(String)
        case silence(MelCells.Place)
    }

    private static let crossHeads = "decoder.blocks.*.cross_attn.z", encoderHeads = "encoder.blocks.*.attn.z"

    /// - Returns: the graph, and the gradient of the word's log-probability at the log-mel, `[bands, context]`.
    func graph(name: String, start: Double) throws -> (graph: Graph, gradient: [Float]) {
        let plain = try listener.pass(sound, hooks: [Listener.logits])
        let objective = try listener.objective(at: plain)
        let all = try listener.pass(
            sound, objectives: [objective],
            hooks: [Self.crossHeads, Self.encoderHeads, "log_mel"] + kind.hooks)
        progress()
        let gradient = try all.gradient("log_mel").values
        let crossHeads = try heads(all, suffix: ".cross_attn.z", .crossHead, size.crossHeads)
        let features = try features(all)
        let encoderHeads = try heads(
            all, suffix: ".attn.z", .encoderHead, size.encoderHeads, among: { !$0.hasSuffix(".cross_attn.z") })
        let tiles = mostOf(cells.attributions(gradient), size.cells).map { place, attribution in
            Part(
                node: Graph.Node(
                    kind: .cell, name: cells.name(cells.places[place], start: start), attribution: attribution),
                hook: "log_mel", weights: [], shape: [], feature: nil, change: .silence(cells.places[place]))
        }
        var graph = Graph()
        graph.nodes = [Graph.Node(kind: .word, name: name, attribution: 0)]
        let parts = crossHeads + features + encoderHeads + tiles
        graph.nodes += parts.map(\.node)
        graph.edges = try edges(crossHeads, features, encoderHeads, tiles, all)
        try measure(&graph, parts)
        return (graph, gradient)
    }

    // MARK: - Nodes

    /// The places of the largest attributions, whatever their sign; the first of equals first.
    private func mostOf(_ attributions: [Double], _ count: Int) -> [(Int, Double)] {
        attributions.enumerated().filter { $0.element != 0 }
            .sorted { (abs($1.element), $0.offset) < (abs($0.element), $1.offset) }.prefix(count)
            .map { ($0.offset, $0.element) }
    }

    private func heads(
        _ all: Captures, suffix: String, _ kind: Graph.Kind, _ count: Int,
        among isWanted: (String) -> Bool = { _ in true }
    ) throws -> [Part] {
        var found: [(hook: String, head: Int, attribution: Double)] = []
        for hook in all.hooks(endingIn: suffix).filter(isWanted) {
            guard let gradient = try? all.gradient(hook) else { continue }
            let activation = try all.value(hook)
            guard activation.shape.count == 3 else {
                throw PluginError(
                    .unsupported, "\(hook) has shape \(activation.shape); expected [positions, heads, head_dim]")
            }
            let width = activation.shape[2], columns = activation.attributions(gradient)
            for head in 0..<activation.shape[1] {
                found.append((hook, head, columns[head * width..<(head + 1) * width].reduce(0, +)))
            }
        }
        return try mostOf(found.map(\.attribution), count).map { place, attribution in
            let (hook, head, _) = found[place], activation = try all.value(hook), gradient = try all.gradient(hook)
            let (heads, width) = (activation.shape[1], activation.shape[2])
            let weights = gradient.values.enumerated().map { $0.offset / width % heads == head ? $0.element : 0 }
            return Part(
                node: Graph.Node(kind: kind, name: "\(hook):\(head)", attribution: attribution), hook: hook,
                weights: weights, shape: activation.shape, head: head, feature: nil,
                change: .intervention("\(hook) @heads \(head) = zero"))
        }
    }

    private func features(_ all: Captures) throws -> [Part] {
        let others = Set(all.hooks(endingIn: ".attn.z") + all.hooks(endingIn: ".cross_attn.z") + ["log_mel"])
        let hooks = all.values.keys.filter { !others.contains($0) }.sorted()
        var found: [(feature: EncoderFeature, attribution: Double)] = []
        for hook in hooks {
            guard let gradient = try? all.gradient(hook) else { continue }
            let values = try kind.values(all.value(hook), hook: hook)
            let attributions = values.attributions(try kind.gradient(gradient))
            found += attributions.enumerated().map { (EncoderFeature(hook: hook, index: $0.offset), $0.element) }
        }
        return try mostOf(found.map(\.attribution), size.features).map { place, attribution in
            let feature = found[place].feature, activation = try all.value(feature.hook)
            let slope = try kind.gradient(all.gradient(feature.hook)).column(feature.index)
            return Part(
                node: Graph.Node(kind: .feature, name: kind.name(feature), attribution: attribution),
                hook: feature.hook, weights: try kind.weights(feature, slope, at: activation), shape: activation.shape,
                feature: (feature, slope), change: .intervention(kind.ablation(feature)))
        }
    }

    // MARK: - Edges

    /// Objectives of one pass: each has gradients of its own in memory.
    private static let atOnce = 4

    /// Nodes are numbered: the word, then parts in this order.
    private func edges(
        _ crossHeads: [Part], _ features: [Part], _ encoderHeads: [Part], _ tiles: [Part], _ all: Captures
    ) throws -> [Graph.Edge] {
        let firstFeature = 1 + crossHeads.count, firstHead = firstFeature + features.count
        let firstTile = firstHead + encoderHeads.count
        var edges = crossHeads.enumerated().map {
            Graph.Edge(from: 1 + $0.offset, to: 0, attribution: $0.element.node.attribution)
        }
        try differentiate(crossHeads, hooks: Set(features.map(\.hook))) { index, gradient in
            for (offset, part) in features.enumerated() {
                guard let (feature, _) = part.feature, let slope = gradient(part.hook) else { continue }
                let values = try kind.values(all.value(part.hook), hook: part.hook).column(feature.index)
                let attribution = values.product(with: try kind.gradient(slope).column(feature.index))
                edges.append(Graph.Edge(from: firstFeature + offset, to: 1 + index, attribution: attribution))
            }
        }
        try differentiate(features, hooks: Set(encoderHeads.map(\.hook))) { index, gradient in
            for (offset, part) in encoderHeads.enumerated() {
                // A head behind the feature gives it nothing.
                guard let slope = gradient(part.hook) else { continue }
                let activation = try all.value(part.hook), (heads, width) = (part.shape[1], part.shape[2])
                let own = activation.values.enumerated().map { $0.offset / width % heads == part.head ? $0.element : 0 }
                edges.append(
                    Graph.Edge(
                        from: firstHead + offset, to: firstFeature + index, attribution: own.product(with: slope.values)
                    ))
            }
        }
        try differentiate(encoderHeads, hooks: ["log_mel"]) { index, gradient in
            guard let slope = gradient("log_mel") else { return }
            for (offset, part) in tiles.enumerated() {
                guard case .silence(let place) = part.change else { continue }
                edges.append(
                    Graph.Edge(
                        from: firstTile + offset, to: firstHead + index,
                        attribution: cells.attribution(slope.values, of: place)))
            }
        }
        return edges
    }

    /// Differentiates each part's S, and hands over the gradients at `hooks`.
    private func differentiate(
        _ parts: [Part], hooks: Set<String>, _ body: (Int, (String) -> Captures.Activation?) throws -> Void
    ) throws {
        guard !hooks.isEmpty else { return }
        // A pass takes back only hook points before its objectives, so those of one hook point go together.
        let groups = Dictionary(grouping: parts.indices) { parts[$0].hook }.sorted { $0.key < $1.key }
        for (_, members) in groups {
            for first in stride(from: 0, to: members.count, by: Self.atOnce) {
                let some = Array(members[first..<min(first + Self.atOnce, members.count)])
                let objectives = try some.map { index in
                    try listener.objective(
                        parts[index].weights, shape: parts[index].shape, hook: parts[index].hook, named: "part\(index)")
                }
                let before = hooks.filter { isBefore($0, parts[some[0]].hook) }
                if !before.isEmpty {
                    let found = try listener.pass(
                        sound, objectives: objectives, hooks: before.sorted(),
                        decodes: parts[some[0]].hook.hasPrefix("decoder."))
                    for (place, index) in some.enumerated() {
                        try body(index) { try? found.gradient($0, place) }
                    }
                }
                progress()
            }
        }
    }

    /// Whether a hook point of the encoder comes before another in the pass: by blocks, and within one attention before the MLP.
    private func isBefore(_ hook: String, _ other: String) -> Bool {
        if hook == "log_mel" || other.hasPrefix("decoder.") { return true }
        guard let block = block(hook) else { return hook != "encoder.ln_post" }
        guard let end = self.block(other) else { return other == "encoder.ln_post" }
        if block != end { return block < end }
        return hook.contains(".attn") && !other.contains(".attn")
    }

    private func block(_ hook: String) -> Int? {
        let parts = hook.split(separator: ".")
        guard parts.count > 2, parts[1] == "blocks" else { return nil }
        return Int(parts[2])
    }

    // MARK: - Effects

    private func measure(_ graph: inout Graph, _ parts: [Part]) throws {
        let readers = parts.enumerated().filter { part in graph.edges.contains { $0.to == part.offset + 1 } }
        let hooks = Set(readers.map(\.element.hook))
        let whole = try listener.pass(sound, hooks: [Listener.logits] + hooks.sorted())
        let logProbability = try listener.logProbability(whole)
        var read: [Int: Double] = [:]
        for (offset, part) in readers { read[offset + 1] = try self.read(part, whole) }
        for (offset, part) in parts.enumerated() {
            let node = offset + 1
            let changed: Captures
            switch part.change {
            case .intervention(let text):
                changed = try listener.pass(
                    sound, interventions: [text], hooks: [Listener.logits] + hooks.sorted())
            case .silence(let place):
                changed = try listener.pass(
                    .logMel(cells.without(place), bands: cells.bands, valid: cells.valid),
                    hooks: [Listener.logits] + hooks.sorted())
            }
            graph.nodes[node].effect = logProbability - (try listener.logProbability(changed))
            for edge in graph.edges.indices where graph.edges[edge].from == node {
                let to = graph.edges[edge].to
                graph.edges[edge].effect =
                    to == 0
                    ? graph.nodes[node].effect : (read[to] ?? 0) - (try self.read(parts[to - 1], changed))
            }
            progress()
        }
    }

    /// S of a part.
    private func read(_ part: Part, _ captures: Captures) throws -> Double {
        let activation = try captures.value(part.hook)
        guard let (feature, weights) = part.feature else { return part.weights.product(with: activation.values) }
        return try weights.product(with: kind.values(activation, hook: part.hook).column(feature.index))
    }
}
