import Dictionaries
import Kernels

/// What becomes of a latent's value.
public enum LatentChange: Sendable, Equatable {
    case scale(Float)
    case set(Float)

    /// z′ of z.
    func callAsFunction(_ z: Float) -> Float {
        switch self {
        case .scale(let factor): factor * z
        case .set(let value): value
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
    func applyDictionary(to x: inout Tensor, at point: HookPoint, chosen: [Int]) throws {
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
                changed = try dictionary.changing(latent, of: rows) { change($0) }
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
}
