import Dictionaries
import Kernels

extension Intervention {
    /// Whether its vector-Jacobian product depends on what it was given.
    var backwardReadsInput: Bool { if case .clamp = operation { true } else { usesDictionary } }

    /// The way back through a change: the gradient of what the change made becomes that of what it was given.
    ///
    /// - Parameters:
    ///   - validFrames: how many frames overlap audio, for means.
    ///   - input: what the change was given, where ``backwardReadsInput``.
    /// - Throws: ``WhisperError``: `failedPrecondition` without that input.
    package func backward(
        _ g: inout Tensor, at point: HookPoint, _ rows: RowPositions, validFrames: Int?, input: Tensor?
    ) throws {
        let view = ActivationView(g.shape, point.site.layout)
        let chosenRows = chosen(of: view, at: point, rows)
        let chosenHeads = heads ?? Array(0..<view.heads), chosenColumns = chosenColumns(of: view)
        switch operation {
        case .add, .noise: return  // what is added does not depend on the activation
        case .zero, .set, .put, .substitutePadding, .patch, .patchRows:
            g.fill(view, chosenRows, chosenHeads) { _, slice in
                for i in chosenColumns ?? Array(slice.indices) { slice[i] = 0 }
            }
        case .scale(let factor):
            g.fill(view, chosenRows, chosenHeads) { _, slice in
                for i in chosenColumns ?? Array(slice.indices) { slice[i] *= factor }
            }
        case .window(let k):
            g.fill(view, chosenRows, chosenHeads) { row, slice in
                let query = rows.position(ofRow: row)
                for key in slice.indices where abs(query - key) > k { slice[key] = 0 }
            }
        case .mean:
            let valid = min(validFrames.flatMap(point.validPositions) ?? .max, view.positions)
            meanBackward(&g, view, chosenRows, chosenHeads, chosenColumns, valid)
        case .clamp:
            clampBackward(
                &g, at: point, view, chosenRows, chosenHeads, chosenColumns, validFrames, try given(input, at: point))
        case .splice, .latent:
            try dictionaryBackward(&g, at: point, chosenRows, validFrames, given(input, at: point))
        case .resample(let inputs, _):
            throw WhisperError(.failedPrecondition, "no recording of \(inputs.name) was drawn for this pass")
        }
    }

    private func given(_ input: Tensor?, at point: HookPoint) throws -> Tensor {
        guard let input else {
            throw WhisperError(
                .failedPrecondition,
                "the gradient at \(point) needs the input of its '\(kind)', which the pass did not keep")
        }
        return input
    }

    /// What was held at a limit has no part in what came out. A limit that is a quantile of the pass is a value of the pass: the
    /// gradient of all that it holds goes to the two positions between which it lies.
    private func clampBackward(
        _ g: inout Tensor, at point: HookPoint, _ view: ActivationView, _ chosen: [Int], _ heads: [Int],
        _ columns: [Int]?, _ validFrames: Int?, _ input: Tensor
    ) {
        let clamps = clamps(of: input, at: point, view, heads, columns, validFrames)
        g.withUnsafeMutableBufferPointer { g in
            input.withUnsafeBufferPointer { x in
                for head in heads {
                    for column in columns ?? Array(0..<view.width) {
                        guard let clamp = clamps[head * view.width + column] else { continue }
                        func at(_ row: Int) -> Int { view.offset(row, head) + column }
                        var held = HeldGradient()
                        for row in chosen {
                            guard let limit = clamp.holding(x[at(row)]) else { continue }
                            held.add(Double(g[at(row)]), to: limit)
                            g[at(row)] = 0
                        }
                        for (row, share) in held.shares { g[at(row)] += Float(share) }
                    }
                }
            }
        }
    }

    /// Each valid position had its share in the mean, which then stood at all that were chosen.
    private func meanBackward(
        _ g: inout Tensor, _ view: ActivationView, _ chosen: [Int], _ heads: [Int], _ columns: [Int]?, _ valid: Int
    ) {
        guard valid > 0 else { return }
        let columns = columns ?? Array(0..<view.width)
        for head in heads {
            var sums = [Double](repeating: 0, count: view.width)
            g.fill(view, chosen, [head]) { _, slice in
                for i in columns {
                    sums[i] += Double(slice[i])
                    slice[i] = 0
                }
            }
            g.fill(view, Array(0..<valid), [head]) { _, slice in
                for i in columns { slice[i] += Float(sums[i] / Double(valid)) }
            }
        }
    }

    private func dictionaryBackward(
        _ g: inout Tensor, at point: HookPoint, _ chosen: [Int], _ validFrames: Int?, _ input: Tensor
    ) throws {
        let shape = g.shape, width = shape.dropFirst().reduce(1, *)
        guard !chosen.isEmpty, width > 0 else { return }
        let flat = g.reshaped([shape[0], width])
        let (rows, given) = (flat.gathered(chosen), input.reshaped([shape[0], width]).gathered(chosen))
        let changed: Tensor
        do {
            switch operation {
            case .splice(let dictionary): changed = try dictionary.reconstructBackward(rows, at: given)
            case .latent(let dictionary, let latent, let change):
                if case .clamp(let lower, let upper) = change {
                    return try latentClampBackward(
                        &g, at: point, dictionary, latent, lower, upper, chosen, rows, given, validFrames, input)
                }
                changed = try dictionary.changingBackward(latent, rows, at: given, change.function({ [] }, at: point))
            default: return
            }
        } catch let error as DictionaryError {
            throw WhisperError(.invalidArgument, "at \(point): \(error.message)")
        }
        g.put(changed, in: chosen, width)
    }

    /// As ``clampBackward``, of a latent's values: those of its limits that are quantiles are codes of the pass.
    private func latentClampBackward(
        _ g: inout Tensor, at point: HookPoint, _ dictionary: SparseDictionary, _ latent: Int, _ lower: ClampLimit?,
        _ upper: ClampLimit?, _ chosen: [Int], _ rows: Tensor, _ given: Tensor, _ validFrames: Int?, _ input: Tensor
    ) throws {
        let positions = input.shape[0], width = rows.shape[1]
        let valid = min(validFrames.flatMap(point.validPositions) ?? .max, positions)
        let heard = input.reshaped([positions, width]).rows(0..<valid)
        let isOfPass = lower?.isOfPass == true || upper?.isOfPass == true
        let codes = isOfPass ? try dictionary.encode(heard) : Tensor(shape: [0, 0])
        let clamp = ColumnClamp(lower, upper, at: point, column: 0) { (0..<valid).map { codes[$0, latent] } }
        let function: (Float) -> (value: Float, slope: Float) = { (clamp($0), clamp.holding($0) == nil ? 1 : 0) }
        g.put(try dictionary.changingBackward(latent, rows, at: given, function), in: chosen, width)
        guard isOfPass else { return }
        let own = try dictionary.encode(given), slopes = try dictionary.latentSlopes(latent, rows, at: given)
        var held = HeldGradient()
        for row in slopes.indices {
            if let limit = clamp.holding(own[row, latent]) { held.add(Double(slopes[row]), to: limit) }
        }
        var shares = [Float](repeating: 0, count: valid)
        for (row, share) in held.shares { shares[row] += Float(share) }
        let back = try dictionary.latentBackward(latent, shares, at: heard)
        g.withUnsafeMutableBufferPointer { g in
            back.withUnsafeBufferPointer { back in for i in back.indices { g[i] += back[i] } }
        }
    }
}

/// The gradient of what a clamp holds, on its way to the positions that its limits are made of.
private struct HeldGradient {
    private var sums: [(place: QuantilePlace, sum: Double)] = []

    /// What is held at a limit that is no quantile of the pass ends here.
    mutating func add(_ gradient: Double, to limit: ColumnClamp.Limit) {
        guard let place = limit.place else { return }
        if let index = sums.firstIndex(where: { $0.place == place }) {
            sums[index].sum += gradient
        } else {
            sums.append((place, gradient))
        }
    }

    /// What each position gets.
    var shares: [(position: Int, share: Double)] {
        sums.flatMap { [($0.place.lower, $0.sum * (1 - $0.place.weight)), ($0.place.upper, $0.sum * $0.place.weight)] }
    }
}

extension Tensor {
    /// Puts rows in their places.
    fileprivate mutating func put(_ rows: Tensor, in places: [Int], _ width: Int) {
        withUnsafeMutableBufferPointer { g in
            rows.withUnsafeBufferPointer { rows in
                for (index, row) in places.enumerated() {
                    for i in 0..<width { g[row * width + i] = rows[index * width + i] }
                }
            }
        }
    }

    /// Lets `body` write the values of some positions and heads, a row at a time.
    fileprivate mutating func fill(
        _ view: ActivationView, _ rows: [Int], _ heads: [Int],
        _ body: (_ row: Int, UnsafeMutableBufferPointer<Float>) -> Void
    ) {
        withUnsafeMutableBufferPointer { g in
            for head in heads {
                for row in rows {
                    let at = view.offset(row, head)
                    body(row, UnsafeMutableBufferPointer(rebasing: g[at..<at + view.width]))
                }
            }
        }
    }
}
