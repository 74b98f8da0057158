import Dictionaries
import Kernels

/// What becomes of a latent's value.
public enum LatentChange: Sendable, Equatable {
    case scale(Float)
    case set(Float)
    /// Held between limits.
    case clamp(ClampLimit?, ClampLimit?)

    /// Whether it depends on all codes of the pass.
    var isOfPass: Bool {
        if case .clamp(let lower, let upper) = self { [lower, upper].contains { $0?.isOfPass == true } } else { false }
    }

    /// z′ of z, and ∂z′/∂z, for the codes of a pass.
    /// - Parameter codes: the latent's at the positions that count; read where ``isOfPass``.
    func function(_ codes: () -> [Float], at point: HookPoint) -> (Float) -> (value: Float, slope: Float) {
        switch self {
        case .scale(let factor): return { (factor * $0, factor) }
        case .set(let value): return { _ in (value, 0) }
        case .clamp(let lower, let upper):
            let clamp = ColumnClamp(lower, upper, at: point, column: 0, values: codes)
            return { (clamp($0), clamp.holding($0) == nil ? 1 : 0) }
        }
    }
}

extension Intervention {
    /// Whether the operation works on the codes of a dictionary.
    var usesDictionary: Bool {
        switch operation {
        case .splice, .latent: true
        default: false
        }
    }

    /// Puts the rows `chosen` of `x` through the operation's dictionary.
    /// - Throws: ``WhisperError`` (`invalidArgument`) where the dictionary is of another width.
    func applyDictionary(
        to x: inout Tensor, at point: HookPoint, chosen: [Int], _ validFrames: Int?
    ) throws {
        let width = x.shape.dropFirst().reduce(1, *)
        guard !chosen.isEmpty, width > 0 else { return }
        var rows = Tensor(uninitialized: [chosen.count, width])
        x.withUnsafeBufferPointer { x in
            rows.withUnsafeMutableBufferPointer { rows in
                for (index, row) in chosen.enumerated() {
                    for i in 0..<width { rows[index * width + i] = x[row * width + i] }
                }
            }
        }
        let changed: Tensor
        do {
            switch operation {
            case .splice(let dictionary): changed = try dictionary.reconstruct(rows)
            case .latent(let dictionary, let latent, let change):
                let codes = try codes(of: latent, in: dictionary, change, x, at: point, validFrames)
                let function = change.function({ codes }, at: point)
                changed = try dictionary.changing(latent, of: rows) { function($0).value }
            default: return
            }
        } catch let error as DictionaryError {
            throw WhisperError(.invalidArgument, "at \(point): \(error.message)")
        }
        x.withUnsafeMutableBufferPointer { x in
            changed.withUnsafeBufferPointer { changed in
                for (index, row) in chosen.enumerated() {
                    for i in 0..<width { x[row * width + i] = changed[index * width + i] }
                }
            }
        }
    }

    /// The latent's codes at the positions that count, where the change depends on all of them.
    private func codes(
        of latent: Int, in dictionary: SparseDictionary, _ change: LatentChange, _ x: Tensor, at point: HookPoint,
        _ validFrames: Int?
    ) throws -> [Float] {
        guard change.isOfPass, let positions = x.shape.first, positions > 0 else { return [] }
        let valid = min(validFrames.flatMap(point.validPositions) ?? .max, positions)
        let codes = try dictionary.encode(x.reshaped([positions, x.count / positions]).rows(0..<valid))
        return (0..<valid).map { codes[$0, latent] }
    }
}
