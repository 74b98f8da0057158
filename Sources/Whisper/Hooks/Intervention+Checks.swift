import Dictionaries
import Kernels

extension Intervention {
    /// - Throws: ``WhisperError`` (`invalidArgument`) for what makes no sense at a target, or cannot act there.
    func check(_ dimensions: ModelDimensions) throws {
        if case .latent(let dictionary, let latent, _) = operation {
            do { try dictionary.check(latent: latent) } catch {
                throw WhisperError(.invalidArgument, "\(error)")
            }
        }
        for point in targets {
            try check(heads, at: point, dimensions)
            try checkPlace(at: point, dimensions)
            try checkKind(at: point)
            try checkTensor(at: point, dimensions)
        }
        if let edge { try check(edge, dimensions) }
    }

    private func refuse(_ problem: String) -> WhisperError { WhisperError(.invalidArgument, problem) }

    private func check(_ heads: [Int]?, at point: HookPoint, _ dimensions: ModelDimensions) throws {
        guard let heads else { return }
        let count = point.isEncoder ? dimensions.nAudioHead : dimensions.nTextHead
        guard point.site.layout != .rows else {
            throw refuse("\(point) has no heads to choose from; q, k, v, z, scores and pattern have")
        }
        if let stray = heads.first(where: { !(0..<count).contains($0) }) {
            throw refuse("\(point) has heads 0 to \(count - 1), and no head \(stray)")
        }
    }

    /// Positions and columns.
    private func checkPlace(at point: HookPoint, _ dimensions: ModelDimensions) throws {
        let view = ActivationView(point.shape(in: dimensions, tokens: dimensions.nTextCtx), point.site.layout)
        if let columns {
            if case .window = operation { throw refuse("a window keeps whole rows of scores, and takes no neurons") }
            guard !usesDictionary else { throw refuse("a dictionary acts on whole rows, and takes no neurons") }
            if let stray = columns.first(where: { !(0..<view.width).contains($0) }) {
                let column = point.axes.last ?? "column"
                throw refuse("\(point) has \(column)s 0 to \(view.width - 1), and no \(column) \(stray)")
            }
        }
        if let positions {
            let what = point.position.rawValue + "s"
            let asked = "\(positions.lowerBound):\(positions.upperBound == .max ? "" : "\(positions.upperBound)")"
            guard positions.lowerBound < view.positions,
                positions.upperBound <= view.positions || positions.upperBound == .max
            else {
                throw refuse("the range \(asked) lies beyond \(point), which has \(what) 0 to \(view.positions - 1)")
            }
        }
        if let words, point.position == .token, words.contains(where: { $0.tokens == nil }) {
            throw refuse(
                "the tokens of words are known in the passes of a transcript alone ('transcribe', 'trace --transcript'); at "
                    + "\(point) expected @tokens a:b")
        }
    }

    private func checkKind(at point: HookPoint) throws {
        switch operation {
        case .substitutePadding where !point.isEncoder:
            throw refuse("substitute-padding acts on the encoder, whose input is padded; \(point) is not in it")
        case .splice, .latent:
            guard heads == nil, point.site.layout != .headsFirst else {
                throw refuse("a dictionary acts on whole rows, of all heads; \(point) has none")
            }
        case .window where point.site != .attnScores:
            throw refuse("a window limits self-attention (…blocks.N.attn); \(point) is something else")
        case .patch(_, .some), .patchRows(_, .some):
            guard point.position != .token else {
                throw refuse(
                    "at \(point) the other recording is heard while the same tokens are read, so a patch is of the same tokens; "
                        + "expected no other place")
            }
        default: break
        }
    }

    /// What a tensor can never fit is said before there is a pass.
    private func checkTensor(at point: HookPoint, _ dimensions: ModelDimensions) throws {
        func check(_ tensor: Tensor, positions: Bool) throws {
            // A masked score is −∞.
            let masked = point.site == .attnScores || point.site == .crossAttnScores
            let stray = tensor.withUnsafeBufferPointer { x in
                x.firstIndex { !$0.isFinite && !(masked && $0 == -.infinity) }.map { ($0, x[$0]) }
            }
            if let (index, value) = stray {
                throw refuse("the tensor for \(point) has \(value) as its element \(index); expected finite numbers")
            }
            guard positions else {
                guard let row = point.rowSize(in: dimensions), tensor.count % row != 0 else { return }
                throw refuse(
                    "a tensor of shape \(tensor.shape) does not fit \(point): expected \(row) values, for all positions alike, or "
                        + "as many for each position")
            }
            let shape = point.shape(in: dimensions, tokens: dimensions.nTextCtx), axis = point.positionAxis
            var expected = tensor.shape
            if axis < expected.count { expected[axis] = shape[axis] }
            // The decoder's own scores have as many keys as there are tokens.
            if point.position == .token, masked || point.site.layout == .headsFirst, expected.count == 3 {
                expected[2] = shape[2]
            }
            guard expected == shape, tensor.count > 0 else {
                throw refuse("a patch of shape \(tensor.shape) does not fit \(point), whose activation is \(shape)")
            }
        }
        switch operation {
        case .add(let tensor, _), .set(let tensor): try check(tensor, positions: false)
        case .put(let tensors):
            guard let tensor = tensors[point] else { throw refuse("there is no tensor for \(point)") }
            try check(tensor, positions: false)
        case .patchRows(let tensors, let from):
            guard let tensor = tensors[point] else { throw refuse("there is no tensor for \(point) to patch from") }
            try check(tensor, positions: true)
            let there = tensor.shape[point.positionAxis]
            let asked =
                from?.positions(at: point)
                ?? positions.map { $0.lowerBound..<($0.upperBound == .max ? there : $0.upperBound) }
            if let asked, asked.lowerBound >= asked.upperBound || asked.upperBound > there {
                throw refuse(
                    "the patch has \(there) \(point.position.rawValue)s of \(point), and not \(asked.lowerBound):\(asked.upperBound)"
                )
            }
        case .patch(_, let from?):
            let asked = from.positions(at: point), there = point.shape(in: dimensions, tokens: 1)[point.positionAxis]
            if asked.isEmpty || asked.upperBound > there {
                throw refuse(
                    "\(point) has \(point.position.rawValue)s 0 to \(there - 1) to patch from, and not \(asked.lowerBound):\(asked.upperBound)"
                )
            }
        default: break
        }
    }

    // MARK: - Edges

    private static let senders: Set<HookSite> = [.attnZ, .attn, .crossAttnZ, .crossAttn, .mlp1, .mlp]
    private static let receivers: Set<HookSite> = [.attnQ, .attnK, .attnV, .crossAttnQ, .mlp0, .lnPost, .ln]

    private func check(_ edge: Edge, _ dimensions: ModelDimensions) throws {
        switch operation {
        case .window, .splice, .latent:
            throw refuse("an edge (@to) carries what a head or an MLP adds to the stream; it takes no \(kind)")
        default: break
        }
        let order = Dictionary(uniqueKeysWithValues: HookPoint.all(in: dimensions).enumerated().map { ($1, $0) })
        for sender in targets {
            guard Self.senders.contains(sender.site) else {
                throw refuse(
                    "an edge (@to) begins at what is added to the residual stream: attn.z, attn, cross_attn.z, cross_attn, mlp.1 or mlp; "
                        + "\(sender) is none of them")
            }
            for receiver in edge.receivers {
                guard Self.receivers.contains(receiver.site) else {
                    throw refuse(
                        "an edge (@to) ends at what reads the residual stream: attn.q, attn.k, attn.v, cross_attn.q, mlp.0, ln_post or ln; "
                            + "\(receiver) is none of them")
                }
                guard sender.stack == receiver.stack, let from = order[sender], let to = order[receiver], from < to
                else {
                    throw refuse(
                        "\(receiver) reads nothing that \(sender) adds: it does not come after it on one residual stream"
                    )
                }
            }
        }
        for receiver in edge.receivers { try check(edge.heads, at: receiver, dimensions) }
    }

    /// The operation's name.
    var kind: String {
        switch operation {
        case .zero: "zero"
        case .mean: "mean"
        case .scale: "scale"
        case .add: "add"
        case .set, .put: "set"
        case .noise: "noise"
        case .clamp: "clamp"
        case .patch, .patchRows: "patch"
        case .resample: "resample"
        case .window: "window"
        case .substitutePadding: "substitute-padding"
        case .splice: "splice"
        case .latent: "latent"
        }
    }
}

// MARK: - Together

extension Intervention {
    /// Looks whether changes contradict each other.
    /// - Throws: ``WhisperError`` (`invalidArgument`) for a change of which a later one leaves nothing, and for a normalised stream that is
    ///   changed and read through an edge.
    package static func check(together interventions: [Intervention]) throws {
        for (index, first) in interventions.enumerated() {
            for second in interventions[(index + 1)...]
            where second.replacesAll && first.edge == nil && second.edge == nil {
                if let point = first.targets.first(where: {
                    second.targets.contains($0) && second.covers(first, at: $0)
                }) {
                    throw WhisperError(
                        .invalidArgument,
                        "at \(point) '\(second.kind)' leaves nothing of the '\(first.kind)' before it; give one of them"
                    )
                }
            }
        }
        let changed = interventions.filter { $0.edge == nil }.reduce(into: Set<HookPoint>()) {
            $0.formUnion($1.targets)
        }
        for edge in interventions.compactMap(\.edge) {
            for receiver in edge.receivers {
                if let stream = receiver.normalised, changed.contains(stream) {
                    throw WhisperError(
                        .invalidArgument,
                        "\(receiver) reads \(stream), which is changed itself, so an edge to it has no meaning; give one of them"
                    )
                }
            }
        }
    }

    /// Looks whether it acts in contexts of so many encoder frames.
    /// - Throws: ``WhisperError`` (`invalidArgument`) for positions that lie beyond.
    package func check(withinFrames frames: Int) throws {
        guard let positions else { return }
        for point in targets where point.position != .token {
            let count = point.validPositions(frames: frames) ?? .max
            if positions.lowerBound >= count {
                throw WhisperError(
                    .invalidArgument,
                    "position \(positions.lowerBound) of \(point) lies beyond a context of \(frames) frames, which has \(count)"
                )
            }
        }
    }

    /// Whether what it leaves depends on nothing that was there. A tensor may have been made of what was there.
    private var replacesAll: Bool {
        switch operation {
        case .zero, .substitutePadding, .patch, .resample: true
        case .clamp(let lower?, let upper?): lower == upper && !lower.isOfPass
        default: false
        }
    }

    private func covers(_ other: Intervention, at point: HookPoint) -> Bool {
        func contains<T: Hashable>(_ all: [T]?, _ some: [T]?) -> Bool {
            guard let all else { return true }
            return some.map { Set($0).isSubset(of: all) } ?? false
        }
        guard contains(heads, other.heads), contains(columns, other.columns) else { return false }
        guard words == nil else { return words == other.words }
        guard let positions else { return true }
        return other.positions.map { positions.lowerBound <= $0.lowerBound && positions.upperBound >= $0.upperBound }
            ?? false
    }
}

extension HookPoint {
    /// The normalised stream that a reader reads; nil where it is the normalised stream itself, or reads none.
    fileprivate var normalised: HookPoint? {
        switch site {
        case .attnQ, .attnK, .attnV: HookPoint(stack, layer: layer, .attnLN)
        case .crossAttnQ: HookPoint(stack, layer: layer, .crossAttnLN)
        case .mlp0: HookPoint(stack, layer: layer, .mlpLN)
        default: nil
        }
    }
}
