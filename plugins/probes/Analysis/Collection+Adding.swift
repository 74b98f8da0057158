import PluginDraws
import PluginKit

extension Collection {
    /// Takes in one window.
    /// - Parameter speakerColumns: the first of these that a recording has names its speaker.
    mutating func add(
        _ window: RecordingWindow, target: Target, reduction: Reduction, speakerColumns: [String], seed: UInt64
    ) throws {
        windows += 1
        self.seed = seed
        for name in window.columns.keys.sorted() where !columns.contains(name) { columns = (columns + [name]).sorted() }
        let speaker = speakerColumns.compactMap { window.columns[$0] }.first { !$0.isEmpty } ?? ""
        let label = target.label(window.columns)
        guard label != nil || (target == .phoneme && !window.phonemes.isEmpty) else { return unlabelled += 1 }
        guard let shortest = window.layers.map(\.valid).min(), shortest > 0 else { return }
        try admit(window.layers)
        for layer in window.layers where !layer.values.prefix(layer.valid * layer.features).allSatisfy(\.isFinite) {
            throw PluginError(.failed, "recording \(window.recording) has values at \(layer.hook) that are not finite")
        }
        if reduction.isByRecording, let label {
            let key = Hashing.key(seed: seed, recording: window.recording, frame: 0)
            let row = Row(
                key: key, recording: window.recording, frame: 0, label: label, speaker: speaker,
                type: window.type(label: label, speaker: speaker), values: [],
                reduced: window.layers.flatMap { $0.reduced(reduction) },
                count: reduction == .mean ? shortest : 1)
            try checkLengths(window)
            reduce(row, reduction)
        } else if case .frames(let every) = reduction {
            try checkLengths(window)
            appendFrames(window, label: label, speaker: speaker, every: every, seed: seed)
        }
        if rows.count >= 2 * limit { shrink() }
    }

    private func checkLengths(_ window: RecordingWindow) throws {
        guard let first = window.layers.first else { return }
        for layer in window.layers
        where layer.valid != first.valid || layer.positionsPerSecond != first.positionsPerSecond {
            throw PluginError(
                .invalidArgument,
                "\(layer.hook) has \(layer.valid) positions at \(layer.positionsPerSecond) a second, and \(first.hook) "
                    + "\(first.valid) at \(first.positionsPerSecond): rows have to be the same at all hook points")
        }
    }

    /// Frame t stands for (t + 0.5) / positions per second. Where no sound is aligned, a frame has no phoneme and no row.
    private mutating func appendFrames(
        _ window: RecordingWindow, label: String?, speaker: String, every: Int, seed: UInt64
    ) {
        guard let first = window.layers.first else { return }
        // Rows are bounded even within a long window; those beyond could never return.
        for index in 0..<first.valid where (first.firstPosition + index) % every == 0 {
            let position = UInt64(max(0, first.firstPosition + index))
            let time = (Double(position) + 0.5) / max(first.positionsPerSecond, 1e-9)
            let sound = window.phonemes.place(at: time)
            guard let name = label ?? sound.map({ window.phonemes[$0].label }), !name.isEmpty else { continue }
            let type = label != nil ? window.type(label: name, speaker: speaker) : window.type(at: time, sound: sound)
            rows.append(
                Row(
                    key: Hashing.key(seed: seed, recording: window.recording, frame: position + 1),
                    recording: window.recording, frame: position, label: name, speaker: speaker, type: type,
                    values: window.layers.flatMap { $0.values[(index * $0.features)..<((index + 1) * $0.features)] },
                    reduced: [], count: 1))
            if rows.count >= 2 * limit { shrink() }
        }
    }
}

extension RecordingWindow {
    /// The speaker, who says more than one recording; the recording where the speaker is not known or is the label.
    fileprivate func type(label: String, speaker: String) -> String {
        speaker.isEmpty || speaker == label ? "recording \(recording)" : "speaker \(speaker)"
    }

    /// What the control task draws one label for: a sound in its word, or without words a sound after another.
    fileprivate func type(at time: Double, sound: Int?) -> String {
        guard let sound else { return "" }
        if let word = words.place(at: time) { return "\(words[word].label)/\(phonemes[sound].label)" }
        return "\(sound > 0 ? phonemes[sound - 1].label : "")+\(phonemes[sound].label)"
    }
}

extension RecordingWindow.Layer {
    /// Sums or maxima of each feature over the valid rows.
    fileprivate func reduced(_ reduction: Reduction) -> [Double] {
        var result = (0..<features).map { valid > 0 ? Double(values[$0]) : 0 }
        for row in 1..<max(valid, 1) {
            for feature in 0..<features {
                let value = Double(values[row * features + feature])
                result[feature] = reduction == .maximum ? max(result[feature], value) : result[feature] + value
            }
        }
        return result
    }
}

extension Collection {
    /// The features at one hook point, and what is known of each row.
    func study(hook: Int, of rows: [Row]) -> FeatureMatrix {
        let start = widths[..<hook].reduce(0, +)
        var values: [Double] = []
        values.reserveCapacity(rows.count * widths[hook])
        for row in rows {
            if row.reduced.isEmpty {
                values += row.values[start..<(start + widths[hook])].map(Double.init)
            } else {
                // As float32, which is what a probe meets when it is used on a trace.
                let divisor = Double(row.count)
                values += row.reduced[start..<(start + widths[hook])].map { Double(Float($0 / divisor)) }
            }
        }
        return FeatureMatrix(features: widths[hook], values: values)
    }
}
