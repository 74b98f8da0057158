import Mel
import PluginKit

/// The strongest moment of each target in the recordings, with the sound around it.
struct BestMoments: Codable {
    struct Best: Codable, Equatable {
        var value: Double
        var recording: String
        /// Seconds from the recording's beginning.
        var time: Double
        /// The sound around it, of the length of a dream.
        var samples: [Float]
    }

    /// One for each target; nil where none was heard yet.
    private(set) var best: [Best?]

    init(targets: Int) { best = Array(repeating: nil, count: targets) }

    /// Takes in what a window of a recording gave. Of equals the earlier one stays.
    /// - Parameter samples: of a dream.
    mutating func add(_ moment: Moment, of target: Int, in clip: Clip, samples count: Int) {
        guard best[target].map({ moment.value > $0.value }) ?? true else { return }
        let centre = moment.frame * 2 * LogMel.hop
        // As much before it as behind, as far as the window has that; from the start for words, which have no frame.
        let first = max(0, min(centre - count / 2, clip.samples.count - count))
        let there = clip.samples[min(first, clip.samples.count)..<min(first + count, clip.samples.count)]
        best[target] = Best(
            value: moment.value, recording: clip.name,
            time: clip.start + Double(moment.frame) * 2 * Double(LogMel.hop) / Double(LogMel.sampleRate),
            samples: Array(there) + [Float](repeating: 0, count: count - there.count))
    }

    /// Takes in what another run found, as if it had come after this one's.
    mutating func merge(_ other: BestMoments) {
        for (target, found) in other.best.enumerated() {
            guard let found, best[target].map({ found.value > $0.value }) ?? true else { continue }
            best[target] = found
        }
    }

    /// Whether it can have come of a run with so many targets, and dreams of so many samples.
    func isSound(targets: Int, samples: Int) -> Bool {
        best.count == targets
            && best.allSatisfy { best in
                best.map {
                    $0.value.isFinite && $0.time.isFinite && $0.samples.count == samples
                        && $0.samples.allSatisfy(\.isFinite)
                } ?? true
            }
    }
}
