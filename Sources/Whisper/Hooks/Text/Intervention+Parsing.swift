import Dictionaries
import Kernels
import TensorFiles

extension Intervention {
    /// What the text form (``InterventionText``) means for a model of these sizes; files are read now.
    /// - Parameter tensor: finds the tensor of a FILE for a hook point; a file that holds one tensor means that one.
    /// - Throws: ``WhisperError`` (`invalidArgument`) that shows the part that was not understood, and what `tensor` and
    ///   reading a dictionary throw.
    public init(
        parsing text: String, dimensions: ModelDimensions,
        tensor: @escaping (_ file: String, _ hook: String) throws -> Tensor = SafetensorsFile.activation
    ) throws {
        try self.init(parsing: text, dimensions: dimensions, material: .tensors(tensor))
    }

    /// The same, where the text may name recordings, data sets and words.
    /// - Throws: also what `material` throws.
    package init(parsing text: String, dimensions: ModelDimensions, material: InterventionMaterial) throws {
        let text = try InterventionText(text)
        let named = Set(try HookPoint.matching(text.hook.text, in: dimensions))
        // What the text itself makes impossible is said before anything is read, let alone heard.
        func made(
            _ operation: Operation, positions: Range<Int>? = nil, words: [HeardWord]? = nil, in targets: Set<HookPoint>
        ) throws -> Intervention {
            try Intervention(
                targets: targets, positions: positions, words: words, heads: text.heads, columns: text.columns,
                receivers: try text.receiver.map {
                    (Set(try HookPoint.matching($0.hook.text, in: dimensions)), $0.heads)
                },
                operation: operation, dimensions: dimensions)
        }
        var positions: Range<Int>?
        if case .bounds(let bounds)? = text.positions {
            positions = try bounds.range(
                perSecond: text.perSecond(named), of: text.hook.text, in: text.words)
        }
        let targets = text.targets(named)
        if text.mayBeTried { _ = try made(.zero, positions: positions, in: named) }
        let operation = try text.meaning(targets, material)
        var words: [HeardWord]?
        if case .word(let name, let place)? = text.positions {
            words = try material.words()?.named(name) { text.words.error($0, at: place) }
        }
        self = try made(operation, positions: positions, words: words, in: targets)
    }
}

extension InterventionText {
    /// Where a window acts: on the scores, also where attention itself is named.
    fileprivate func targets(_ named: Set<HookPoint>) -> Set<HookPoint> {
        guard case .window = operation else { return named }
        return Set(named.map { $0.site == .attn ? HookPoint($0.stack, layer: $0.layer, .attnScores) : $0 })
    }

    /// Whether an operation without conditions of its own can stand for this one.
    fileprivate var mayBeTried: Bool { if case .window = operation { false } else { true } }

    /// Positions a second; nil where there are tokens among the hook points.
    fileprivate func perSecond(_ named: Set<HookPoint>) throws -> Double? {
        let rates = Set(named.map(\.position.perSecond))
        guard rates.count > 1, case .bounds(let bounds)? = positions, bounds.isTimed else { return rates.first ?? nil }
        throw words.error(
            "\(hook.text) names places of several rates, so that seconds are no positions there", at: hook)
    }

    fileprivate func meaning(
        _ targets: Set<HookPoint>, _ material: InterventionMaterial
    ) throws -> Intervention.Operation {
        let file = file?.text ?? ""
        /// The one tensor of a file, or that of each hook point.
        func tensors() throws -> [HookPoint: Tensor] {
            try targets.reduce(into: [:]) { $0[$1] = try material.tensor(file, $1.name) }
        }
        switch operation {
        case .zero: return .zero
        case .mean(nil): return .mean
        case .mean(let over?):
            return .put(
                try material.measured(over.text, .mean, targets, nil).mapValues { Tensor(shape: [$0.count], $0) })
        case .scale(let factor): return .scale(factor)
        case .add(let factor):
            guard let first = targets.min(by: { $0.name < $1.name }) else { return .zero }
            return .add(try material.tensor(file, first.name), factor)
        case .set:
            let found = try tensors()
            return found.count == 1 ? .set(found.values.first ?? Tensor(shape: [])) : .put(found)
        case .noise(let deviation, let seed): return .noise(deviation, seed: seed)
        case .clamp(let clamp):
            func limit(_ limit: ClampLimit?) throws -> ClampLimit? {
                guard case .quantile(let quantile)? = limit, let over = clamp.over else { return limit }
                return .columns(try material.measured(over.text, .quantile(quantile), targets, columns))
            }
            return .clamp(try limit(clamp.lower), try limit(clamp.upper))
        case .patch(let place):
            guard !file.hasSuffix(".safetensors") else {
                return .patchRows(try tensors(), from: try source(place, targets) { nil })
            }
            let recording = try material.recording(file)
            return .patch(recording.input, from: try source(place, targets, recording.words))
        case .resample(let seed): return .resample(try material.recordings(file), seed: seed)
        case .window(let positions): return .window(positions)
        case .substitutePadding: return .substitutePadding
        case .splice: return .splice(try SparseDictionary.read(file))
        case .latent(let latent, let change):
            let dictionary = try SparseDictionary.read(file)
            return .latent(dictionary, latent, try self.change(change, latent, dictionary, targets, material))
        }
    }

    private func change(
        _ change: LatentText, _ latent: Int, _ dictionary: SparseDictionary, _ targets: Set<HookPoint>,
        _ material: InterventionMaterial
    ) throws -> LatentChange {
        switch change {
        case .change(let change): return change
        case .clamp(let clamp):
            func limit(_ limit: ClampLimit?) throws -> ClampLimit? {
                guard case .quantile(let quantile)? = limit, let over = clamp.over else { return limit }
                return .columns(
                    try material.measured(over.text, .latentQuantile(dictionary, latent, quantile), targets, nil))
            }
            return .clamp(try limit(clamp.lower), try limit(clamp.upper))
        }
    }

    /// Where in another run a patch comes from; nil for the same place.
    private func source(
        _ place: PositionText?, _ targets: Set<HookPoint>, _ heard: () throws -> [HeardWord]?
    ) throws -> Intervention.PatchSource? {
        switch place {
        case nil: return nil
        case .bounds(let bounds)?:
            let range = try bounds.range(perSecond: targets.first?.position.perSecond, of: hook.text, in: words)
            guard range.upperBound != .max else { throw words.error("expected where the range ends", at: bounds.word) }
            return .positions(range)
        case .word(let name, let at)?:
            guard let heard = try heard() else {
                if case .patch = operation, file?.text.hasSuffix(".safetensors") == true {
                    throw words.error("a tensor file has no words; expected @frames a:b", at: at)
                }
                return nil
            }
            let found = try heard.named(name) { words.error("in \(file?.text ?? ""), \($0)", at: at) }
            guard let first = found.first, let last = found.last else { return nil }
            return .melFrames(first.melFrames.lowerBound..<max(first.melFrames.upperBound, last.melFrames.upperBound))
        }
    }
}
