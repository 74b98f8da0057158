import Client
import Messages

extension PluginPart {
    /// Which of the samples a part hears.
    enum Extent: Sendable {
        case all
        /// As many as are transcribed (``ReproductionOptions/recordings``) at most, spread evenly over all of them.
        case some
        /// The first in which somebody speaks a language of the model; the first of all where nobody does.
        case one
    }
}

extension Situation {
    /// The shard that is so much of the samples; nil where that is all of them.
    func shard(_ extent: PluginPart.Extent) -> V1.Shard? {
        let all = samples.samples
        let count: Int, index: Int
        switch extent {
        case .all: return nil
        case .some:
            let most = max(options.recordings, 1)
            (count, index) = ((all.count + most - 1) / most, 0)
        case .one:
            count = (all.map(\.item.index).max() ?? 0) + 1
            index = all.first { $0.maySpeak && model.knows($0.item.language ?? "") }?.item.index ?? 0
        }
        guard count > 1 else { return nil }
        return V1.Shard(index: UInt32(clamping: index), count: UInt32(clamping: count))
    }
}
