import PluginKit
import PluginSound

/// What is to be kept of a sound: the log-probability of the word, or a feature at the frame where it is largest.
enum Keeping {
    case word
    case feature(hook: String, index: Int)

    /// `word` or `HOOK:INDEX`.
    init(_ text: String) throws {
        let text = text.trimmed
        if text == "word" {
            self = .word
            return
        }
        guard let colon = text.lastIndex(of: ":"), let index = Int(text[text.index(after: colon)...]), index >= 0,
            colon != text.startIndex, !text.contains("*")
        else { throw PluginError(.invalidArgument, "keep is \"\(text)\"; expected word, or a neuron as HOOK:INDEX") }
        self = .feature(hook: String(text[..<colon]), index: index)
    }
}

/// Finds the smallest part of a recording's spectrogram that keeps a word, or a feature, and makes it heard with the recording's own phase.
struct KeptSound {
    let listener: Listener
    let keeping: Keeping
    let cells: MelCells
    let samples: [Float]
    /// The share of what the sound gives over silence that has to stay.
    let fraction: Double
    /// Points on the way from silence to the sound at which gradients are taken.
    let integration: Int
    let listenings: Int
    let progress: () -> Void

    struct Result {
        /// With all of the sound, with none, and with what is kept.
        let whole, silent: Double
        var kept: Double?
        /// `[bands, valid]`: integrated gradients of each mel cell.
        let attributions: [Float]
        /// Of those of the model's input that are sound; `[bands, frames]`, 1 where it is kept.
        var mask: [Float] = []
        var samples: [Float] = []
        /// Shares of the cells and of the energy that are kept.
        var cells = 0.0, energy = 0.0
        /// The sum of all attributions, the padding's too, over what they have to add up to.
        let completeness: Double
    }

    func result() throws -> Result {
        let target = try self.target()
        let whole = try target.value(.samples(samples))
        let silence = [Float](repeating: 0, count: samples.count)
        let silent = try target.value(.samples(silence))
        var gradient = [Float](repeating: 0, count: cells.mel.count)
        // Integrated gradients (Sundararajan, Taly and Yan 2017), by the midpoints of equal steps.
        for step in 0..<integration {
            let mel = cells.scaled((Float(step) + 0.5) / Float(integration))
            let slope = try target.gradient(mel)
            for at in gradient.indices { gradient[at] += slope[at] / Float(integration) }
            progress()
        }
        let sums = cells.attributions(gradient)
        let floor = cells.floor
        let total = zip(gradient, cells.mel).reduce(0.0) { $0 + Double($1.0) * Double($1.1 - floor) }
        let atFloor = try target.value(.logMel(cells.scaled(0), bands: cells.bands, valid: cells.valid))
        let atSound = try target.value(.logMel(cells.mel, bands: cells.bands, valid: cells.valid))
        var result = Result(
            whole: whole, silent: silent, attributions: cells.map(gradient),
            completeness: atSound != atFloor ? total / (atSound - atFloor) : .nan)
        guard whole > silent else { return result }
        let part = SpectrogramPart(samples, bands: cells.bands)
        let order = sums.indices.sorted { (sums[$1], $0) < (sums[$0], $1) }
        let search = SmallestPart(
            order: order, wanted: silent + fraction * (whole - silent), listenings: listenings
        ) { chosen in
            defer { progress() }
            return try target.value(.samples(part.samples(cells.mask(chosen, frames: part.frames))))
        }
        guard let found = try search.find() else { return result }
        result.kept = found.value
        result.mask = cells.mask(found.cells, frames: part.frames)
        result.samples = part.samples(result.mask)
        result.cells = cells.places.isEmpty ? 0 : Double(found.cells.count) / Double(cells.places.count)
        func energy(_ samples: [Float]) -> Double { samples.reduce(0) { $0 + Double($1) * Double($1) } }
        let all = energy(samples)
        result.energy = all > 0 ? energy(result.samples) / all : 0
        return result
    }

    /// What is kept, as a function of what is heard, with its gradient at a log-mel.
    private struct Target {
        let value: (Listener.Sound) throws -> Double
        let gradient: ([Float]) throws -> [Float]
    }

    private func target() throws -> Target {
        func heard(_ mel: [Float]) -> Listener.Sound { .logMel(mel, bands: cells.bands, valid: cells.valid) }
        switch keeping {
        case .word:
            return Target(value: { try listener.logProbability($0) }) { mel in
                let plain = try listener.pass(heard(mel), hooks: [Listener.logits])
                let objective = try listener.objective(at: plain, named: "kept")
                return try listener.pass(heard(mel), objectives: [objective], hooks: ["log_mel"])
                    .gradient("log_mel").values
            }
        case .feature(let hook, let index):
            let first = try listener.pass(.samples(samples), hooks: [hook], decodes: false).value(hook)
            guard first.shape.count == 2, index < first.width else {
                throw PluginError(
                    .invalidArgument, "keep is \(hook):\(index), and \(hook) has shape \(first.shape)")
            }
            let values = first.column(index).prefix(max(1, cells.valid / 2))
            let frame = values.indices.max { values[$0] < values[$1] } ?? 0
            return Target(value: { sound in
                let values = try listener.pass(sound, hooks: [hook], decodes: false).value(hook).column(index)
                return frame < values.count ? Double(values[frame]) : 0
            }) { mel in
                try listener.pass(
                    heard(mel), objectives: ["\(hook):\(index)@frames \(frame):\(frame + 1)"], hooks: ["log_mel"],
                    decodes: false
                ).gradient("log_mel").values
            }
        }
    }
}
