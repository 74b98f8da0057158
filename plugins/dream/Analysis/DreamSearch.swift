import Glibc
import Mel
import PluginDraws
import PluginKit
import PluginSound

/// Ascends a target in the space of log-mels, and makes a sound of what is found.
///
/// A log-mel stays within Whisper's range, from 2 below `peak` up to it (8 below the maximum before scaling). Each step takes the gradient at the log-mel shifted in
/// time by chance and with noise over it, so that what is found holds for all of them; divides it by its own size; takes off that of the
/// smoothed total variation along time and along frequency; and goes where Adam says. A log-mel need not be that of any sound: after each round it is taken to
/// sound and back, and the next round goes on from there.
struct DreamSearch {
    struct Settings {
        var steps = 96, rounds = 4
        /// Of the log-mel, of a range of 2, at first; it falls to a tenth.
        var rate: Float = 0.08
        var others = 1.0
        var smoothTime: Float = 0.3, smoothFrequency: Float = 0.3
        var jitter = 2
        var noise: Float = 0.05
        var peak: Float = 1.2
    }

    struct Dream {
        /// `[bands, frames]`, as it was when it was taken to sound, and what it gives.
        var mel: [Float]
        var melMoment: Moment
        var samples: [Float]
        var soundMoment: Moment
        /// The target's value at each step, at its frame.
        var history: [Double]
    }

    let model: any DreamModel
    let settings: Settings
    /// Mel frames, an even number.
    let frames: Int
    let seed: UInt64
    /// Called after each step, with how many are done; may end the search by an error.
    var progress: (Int) throws -> Void = { _ in }

    private var bands: Int { model.bands }
    private var floor: Float { settings.peak - 2 }

    /// The encoder's frame that a target is optimised at.
    var place: Int { frames / 4 }

    /// - Parameters:
    ///   - beginning: a sound of 160 · frames samples to begin from; nil for noise.
    ///   - file: a place for a file that the objective needs.
    func dream(of target: DreamTarget, from beginning: [Float]?, file: String) throws -> Dream {
        let context = try model.context(frames: frames)
        let objectives = try target.objectives(
            frame: place, others: target.hasOthers && settings.others > 0, file: file)
        var draws = SplitMix(seed: Hashing.key(seed: seed, purpose: "dream", target.name))
        let inverse = MelInverse(bands: bands), griffinLim = GriffinLim()
        let logMel = LogMel(bands: bands)
        var mel = beginning.map { logMel.window($0, firstFrames: frames).elements } ?? noise(&draws)
        keepInRange(&mel)
        let columns = objectives.count > 1 ? try model.columns(target, mel: padded(mel, to: context)) : 1
        var best: Dream?, history: [Double] = []
        let each = max(1, settings.steps / settings.rounds)
        var sound = beginning
        for round in 0..<settings.rounds {
            var adam = Adam(count: mel.count)
            for step in 0..<each {
                let way = Float(round * each + step) / Float(max(1, settings.rounds * each))
                var direction = try ascent(
                    mel, objectives, context, columns: columns, &draws, &history)
                addSmoothness(of: mel, to: &direction)
                adam.step(&mel, along: direction, rate: settings.rate * (1 - 0.9 * way))
                keepInRange(&mel)
                try progress(round * each + step + 1)
            }
            let power = inverse.powerSpectra(MelInverse.power(ofLogMel: mel, bands: bands))
            var samples = griffinLim.samples(power: power, seed: draws.next(), beginning: sound)
            let loudest = samples.reduce(0) { max($0, abs($1)) }
            if loudest > 0.99 { for at in samples.indices { samples[at] *= 0.99 / loudest } }
            let moment = try model.largest(target, samples: samples)
            if best.map({ moment.value > $0.soundMoment.value }) ?? true {
                let given = try model.largest(target, mel: padded(mel, to: context), valid: frames)
                best = Dream(mel: mel, melMoment: given, samples: samples, soundMoment: moment, history: [])
            }
            sound = samples
            mel = logMel.window(samples, firstFrames: frames).elements
            keepInRange(&mel)
        }
        guard var best else { throw PluginError(.failed, "\(target.name): there was no round") }
        best.history = history
        return best
    }

    /// The gradient at a shifted, noisy copy, shifted back, in units of its own size; keeps the target's value.
    private func ascent(
        _ mel: [Float], _ objectives: [String], _ context: Int, columns: Int, _ draws: inout SplitMix,
        _ history: inout [Double]
    ) throws -> [Float] {
        let shift = draws.next(below: 2 * settings.jitter + 1) - settings.jitter
        var heard = shifted(mel, by: shift)
        if settings.noise > 0 {
            for at in heard.indices { heard[at] += settings.noise * Float(draws.normal()) }
            keepInRange(&heard)
        }
        let (values, gradients) = try model.gradients(padded(heard, to: context), valid: frames, objectives: objectives)
        history.append(values[0])
        var gradient = cropped(gradients[0], of: context)
        if gradients.count > 1 {
            // The mean of the others: their sum, less the target's own.
            let others = cropped(gradients[1], of: context)
            let share = Float(settings.others / Double(max(1, columns - 1)))
            for at in gradient.indices { gradient[at] -= share * (others[at] - gradient[at]) }
        }
        let size = (gradient.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(max(1, gradient.count))).squareRoot()
        guard size > 0 else {
            // A unit that is off all over gives no way; noise may lead to where there is one.
            return (0..<gradient.count).map { _ in Float(draws.normal()) }
        }
        for at in gradient.indices { gradient[at] /= Float(size) }
        return shifted(gradient, by: -shift)
    }

    /// −∂/∂x Σ √(d² + ε²), d the differences between neighbours.
    private func addSmoothness(of mel: [Float], to direction: inout [Float]) {
        func pull(_ at: Int, _ next: Int, _ weight: Float) {
            let difference = mel[next] - mel[at]
            let slope = weight * difference / (difference * difference + 0.0004).squareRoot()
            direction[at] += slope
            direction[next] -= slope
        }
        for band in 0..<bands {
            for frame in 0..<frames {
                let at = band * frames + frame
                if frame + 1 < frames { pull(at, at + 1, settings.smoothTime) }
                if band + 1 < bands { pull(at, at + frames, settings.smoothFrequency) }
            }
        }
    }

    private func noise(_ draws: inout SplitMix) -> [Float] {
        (0..<bands * frames).map { _ in settings.peak - 1 + 0.2 * Float(draws.normal()) }
    }

    /// No value above the peak, and none more than 2 below the largest there is.
    private func keepInRange(_ mel: inout [Float]) {
        for at in mel.indices { mel[at] = min(max(mel[at], floor), settings.peak) }
        let least = (mel.max() ?? 0) - 2
        for at in mel.indices { mel[at] = max(mel[at], least) }
    }

    /// The model's input: silence behind the dream.
    private func padded(_ mel: [Float], to context: Int) -> [Float] {
        guard context > frames else { return mel }
        var whole = [Float](repeating: (mel.max() ?? 0) - 2, count: bands * context)
        for band in 0..<bands {
            whole.replaceSubrange(
                band * context..<band * context + frames, with: mel[band * frames..<(band + 1) * frames])
        }
        return whole
    }

    private func cropped(_ whole: [Float], of context: Int) -> [Float] {
        guard context > frames else { return whole }
        return (0..<bands).flatMap { whole[$0 * context..<$0 * context + frames] }
    }

    /// Moved in time, around the end.
    private func shifted(_ mel: [Float], by shift: Int) -> [Float] {
        guard shift != 0, frames > 0 else { return mel }
        return (0..<mel.count).map { at in
            let frame = ((at % frames - shift) % frames + frames) % frames
            return mel[at / frames * frames + frame]
        }
    }
}

/// Kingma and Ba 2015, upwards.
private struct Adam {
    private var mean: [Float], square: [Float]
    private var steps = 0

    init(count: Int) { (mean, square) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count)) }

    mutating func step(_ x: inout [Float], along g: [Float], rate: Float) {
        steps += 1
        let (first, second) = (1 - powf(0.9, Float(steps)), 1 - powf(0.99, Float(steps)))
        for at in x.indices {
            mean[at] += 0.1 * (g[at] - mean[at])
            square[at] += 0.01 * (g[at] * g[at] - square[at])
            x[at] += rate * (mean[at] / first) / ((square[at] / second).squareRoot() + 1e-6)
        }
    }
}

extension SplitMix {
    /// A normal deviate (Box and Muller 1958).
    fileprivate mutating func normal() -> Double {
        let (radius, angle) = (1 - Hashing.unit(next()), 2 * Double.pi * Hashing.unit(next()))
        return (-2 * log(radius)).squareRoot() * cos(angle)
    }
}
