import Dictionaries
import Kernels

extension Intervention {
    /// Whether its vector-Jacobian product depends on what it was given.
    var backwardReadsInput: Bool { usesDictionary }

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
            throw WhisperError(
                .failedPrecondition,
                "no gradient goes back through the clamp at \(point); leave one of the two out, or set values instead")
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
                if change.isOfPass {
                    throw WhisperError(
                        .unsupported,
                        "at \(point) the latent is held at a quantile of the pass, through which no gradient goes back; expected a "
                            + "value, or a quantile over a data set")
                }
                let function = change.function({ [] }, at: point)
                changed = try dictionary.changingBackward(latent, rows, at: given, function)
            default: return
            }
        } catch let error as DictionaryError {
            throw WhisperError(.invalidArgument, "at \(point): \(error.message)")
        }
        g.withUnsafeMutableBufferPointer { g in
            changed.withUnsafeBufferPointer { changed in
                for (index, row) in chosen.enumerated() {
                    for i in 0..<width { g[row * width + i] = changed[index * width + i] }
                }
            }
        }
    }
}

extension Tensor {
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
