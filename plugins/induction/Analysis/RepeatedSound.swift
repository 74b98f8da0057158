import Foundation
import PluginDraws
import PluginKit

/// A sound that comes twice: a piece A of a recording, what follows it, and A once more behind the end. The null has another piece of the
/// recording there instead, at the same frames.
struct RepeatedSound {
    /// Frames of 20 ms, 320 samples.
    static let frame = 320
    /// Frames of silence before the second A.
    static let gap = 10
    /// Frames behind the first A that count as what followed it.
    static let after = 10

    /// The first frame of the first A, its length, and the first frame of the second.
    let first: Int
    let length: Int
    let second: Int
    let repeated: [Float]
    let null: [Float]

    /// - Parameters:
    ///   - samples: 16 kHz.
    ///   - length: of A, in frames.
    ///   - window: samples that the model takes.
    ///   - key: what A and the other piece are drawn with.
    /// - Returns: nil where the recording is too short, or too quiet, for two pieces that do not meet.
    init?(_ samples: UnsafeBufferPointer<Float>, length: Int, window: Int, key: UInt64) {
        let room = window / Self.frame - Self.gap - length
        let frames = min(samples.count / Self.frame, room)
        // A, what follows it, and another piece that meets neither.
        guard length > 0, frames >= 2 * length + 2 * Self.after else { return nil }
        var energies = (0..<frames).map { frame in
            (frame * Self.frame..<(frame + 1) * Self.frame).reduce(0.0) {
                $0 + Double(samples[$1]) * Double(samples[$1])
            }
        }
        // Sums up to each frame, so that pieces are compared at once.
        energies = energies.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        let starts = Array(0...frames - length - Self.after)
        func energy(_ start: Int) -> Double { energies[start + length] - energies[start] }
        let loud = starts.sorted { (-energy($0), $0) < (-energy($1), $1) }.prefix((starts.count + 1) / 2)
            .filter { energy($0) > 0 }
        guard !loud.isEmpty else { return nil }
        var draws = SplitMix(seed: key)
        let first = loud[draws.next(below: loud.count)]
        let others = loud.filter { $0 + length <= first || $0 >= first + length + Self.after }
        guard !others.isEmpty else { return nil }
        let other = others[draws.next(below: others.count)]
        (self.first, self.length, second) = (first, length, frames + Self.gap)
        let head = Array(samples[0..<frames * Self.frame]) + [Float](repeating: 0, count: Self.gap * Self.frame)
        repeated = head + Self.piece(samples, first, length)
        null = head + Self.piece(samples, other, length)
    }

    /// A piece with edges of 5 ms, so that it does not click.
    private static func piece(_ samples: UnsafeBufferPointer<Float>, _ start: Int, _ length: Int) -> [Float] {
        var piece = Array(samples[start * frame..<(start + length) * frame])
        let edge = min(80, piece.count / 2)
        for place in 0..<edge {
            let gain = Float(0.5 - 0.5 * cos(Double.pi * (Double(place) + 0.5) / Double(edge)))
            piece[place] *= gain
            piece[piece.count - 1 - place] *= gain
        }
        return piece
    }

    /// A head's attention from the second A: to the frames behind the first A, and to the frame of the first A that sounds the same and two
    /// on each side of it. Shares, means over the frames of A.
    /// - Parameter pattern: of one head, queries by keys.
    func shares(_ pattern: UnsafeBufferPointer<Float>, keys: Int) -> (induction: Double, same: Double) {
        var (induction, same) = (0.0, 0.0)
        for place in 0..<length {
            let row = (second + place) * keys
            for key in first + length..<min(first + length + Self.after, keys) {
                induction += Double(pattern[row + key])
            }
            for key in max(0, first + place - 2)...min(first + place + 2, keys - 1) {
                same += Double(pattern[row + key])
            }
        }
        return (induction / Double(length), same / Double(length))
    }
}

/// Where the frames of sound look, by the distance in frames: for heads that look at one offset.
struct OffsetSums: Codable, Equatable {
    /// Frames to each side.
    static let reach = 100
    private(set) var rows = 0
    /// From −100 to 100: the sum over rows of the attention to the frame so far ahead.
    private var masses = [Double](repeating: 0, count: 2 * reach + 1)

    init() {}

    /// - Parameter pattern: of one head, queries by keys.
    mutating func add(_ pattern: UnsafeBufferPointer<Float>, rows count: Int, keys: Int) {
        for query in 0..<count {
            for key in max(0, query - Self.reach)...min(keys - 1, query + Self.reach) {
                masses[key - query + Self.reach] += Double(pattern[query * keys + key])
            }
        }
        rows += count
    }

    mutating func add(_ other: OffsetSums) {
        rows += other.rows
        for place in masses.indices { masses[place] += other.masses[place] }
    }

    var isSound: Bool {
        (0..<1 << 48).contains(rows) && masses.count == 2 * Self.reach + 1
            && masses.allSatisfy { $0.isFinite && $0 >= 0 }
    }

    /// The offset with most attention, its share within a frame of it, and the mean share of all offsets: what is there where a head looks
    /// evenly around.
    var best: (offset: Int, share: Double, even: Double) {
        var (place, share, sum) = (1, 0.0, 0.0)
        for middle in 1..<masses.count - 1 {
            let mass = masses[middle - 1] + masses[middle] + masses[middle + 1]
            sum += mass
            if middle == 1 || masses[middle] > masses[place] { (place, share) = (middle, mass) }
        }
        guard rows > 0 else { return (0, .nan, .nan) }
        let count = Double(rows)
        return (place - Self.reach, share / count, sum / count / Double(masses.count - 2))
    }
}
