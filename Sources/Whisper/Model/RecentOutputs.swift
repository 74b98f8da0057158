import Foundation
import Kernels
import Synchronization

/// The encoder's outputs for the last few inputs of transcripts, and of passes with changes behind it: who changes what the decoder reads, or
/// the decoder itself, asks of one sound again and again, and the encoder's part is the same each time.
final class RecentOutputs: Sendable {
    /// A sound, the padding that takes the place of a part of it, and another sound.
    private static let most = 3

    private struct Kept {
        let mel, output: Tensor
    }

    /// The last one last.
    private let kept = Mutex<[Kept]>([])

    /// Of the inputs and outputs that are kept.
    var bytes: Int {
        kept.withLock { $0.reduce(0) { $0 + ($1.mel.count + $1.output.count) * MemoryLayout<Float>.stride } }
    }

    func forget() {
        let gone = kept.withLock { kept in
            defer { kept = [] }
            return kept
        }
        // Freed outside of the lock.
        withExtendedLifetime(gone) {}
    }

    /// The output for `mel`, of before where there is one; an input is the same where all its elements are.
    /// - Parameter compute: makes it. Two threads that ask for the same at once both do.
    func output(of mel: Tensor, _ compute: () throws -> Tensor) rethrows -> Tensor {
        let known = kept.withLock { kept -> Tensor? in
            guard let place = kept.firstIndex(where: { $0.mel.isSame(as: mel) }) else { return nil }
            kept.append(kept.remove(at: place))
            return kept.last?.output
        }
        if let known { return known }
        let output = try compute()
        kept.withLock { kept in
            kept.append(Kept(mel: mel, output: output))
            if kept.count > Self.most { kept.removeFirst() }
        }
        return output
    }
}

extension Tensor {
    /// Whether shape and bits are the same.
    fileprivate func isSame(as other: Tensor) -> Bool {
        guard shape == other.shape else { return false }
        return withUnsafeBufferPointer { a in
            other.withUnsafeBufferPointer { b in
                guard let a = a.baseAddress, let b = b.baseAddress else { return true }
                return memcmp(a, b, count * MemoryLayout<Float>.stride) == 0
            }
        }
    }
}
