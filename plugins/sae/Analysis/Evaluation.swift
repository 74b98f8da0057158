import Dictionaries
import Kernels
import PluginKit
import PluginTranscripts
import PluginVocabulary

/// A recording that was kept from training.
struct HeldOut: Codable, Sendable {
    var recording: UInt64
    var name, text, language: String
    var validFrames: Int
    var samples: [Float]

    init(_ clip: Clip) {
        recording = clip.recording
        name = clip.name
        text = clip.labels["text"] ?? clip.words.map(\.label).joined(separator: " ")
        language = clip.labels["language"] ?? ""
        validFrames = clip.validFrames
        samples = Array(clip.samples)
    }

    var isSound: Bool {
        samples.count <= 480_000 && samples.allSatisfy(\.isFinite) && (0...1500).contains(validFrames)
    }
}

/// What a dictionary keeps of recordings that it was not trained on, and what is written when its reconstruction is all
/// that the model gets.
struct Evaluation {
    enum Condition: String, CaseIterable { case clean, spliced, zero }

    /// One recording under one condition.
    struct Reading {
        var text = ""
        var errors = 0, words = 0
        /// Sum over the transcript's tokens, nats; nil where its tokens are not known.
        var crossEntropy: Double?
        var tokens = 0
    }

    let host: Host
    let dictionary: SparseDictionary
    let folder: String
    let hook: String
    private(set) var statistics = CodeStatistics()
    private(set) var readings: [(recording: HeldOut, readings: [Condition: Reading])] = []

    init(host: Host, dictionary: SparseDictionary, folder: String, hook: String) {
        self.host = host
        self.dictionary = dictionary
        self.folder = folder
        self.hook = hook
    }

    mutating func measure(_ recordings: [HeldOut]) throws {
        for (index, recording) in recordings.enumerated() where !recording.samples.isEmpty {
            try host.checkCancellation()
            host.progress(Double(index), of: Double(recordings.count), unit: "recordings")
            try host.run(recording.samples, hooks: [hook]) { tensor in
                let valid = min(tensor.validPositions, tensor.shape.first ?? 0)
                let values = Array(tensor.floats()[..<(valid * dictionary.inputs)])
                try statistics.add(Tensor(shape: [valid, dictionary.inputs], values), dictionary)
            }
            // Without words there is nothing to compare what is written with.
            guard !recording.text.isEmpty else { continue }
            var byCondition: [Condition: Reading] = [:]
            for condition in Condition.allCases { byCondition[condition] = try read(recording, condition) }
            readings.append((recording, byCondition))
        }
    }

    /// The change of the activations. Padding stays as it is: no dictionary has seen it.
    private func interventions(_ condition: Condition, _ frames: Int) -> [String] {
        switch condition {
        case .clean: []
        case .spliced: ["\(hook) @frames 0:\(frames) = splice \"\(folder)\""]
        case .zero: ["\(hook) @frames 0:\(frames) = zero"]
        }
    }

    private func read(_ recording: HeldOut, _ condition: Condition) throws -> Reading {
        var reading = Reading()
        let changes = interventions(condition, max(recording.validFrames, 1))
        reading.text = try host.transcribe(
            recording.samples, language: recording.language, interventions: changes)
        let errors = WordErrors(Words.of(recording.text), Words.of(reading.text))
        (reading.errors, reading.words) = (errors.errors, errors.words)
        guard let (prefix, text) = try? prompt(recording), !text.isEmpty else { return reading }
        var sum = 0.0
        try host.run(
            recording.samples, tokens: prefix + text, interventions: changes, hooks: ["decoder.logits"]
        ) { logits in
            let width = logits.shape.last ?? 0
            let values = logits.floats()
            for (place, token) in text.enumerated() {
                // The row before a token says how likely it is.
                let row = (prefix.count + place - 1) * width
                guard width > 0, (0..<width).contains(Int(token)), row >= 0, row + width <= values.count else {
                    throw PluginError(.failed, "decoder.logits has the shape \(logits.shape)")
                }
                sum -= values[row..<row + width].withUnsafeBufferPointer { logSoftmax($0, Int(token)) }
            }
        }
        (reading.crossEntropy, reading.tokens) = (sum, text.count)
        return reading
    }

    /// What the decoder reads before the transcript, and the transcript with its end.
    private func prompt(_ recording: HeldOut) throws -> (prefix: [Int32], text: [Int32]) {
        let prefix = try Prompt.tokens(host, language: recording.language.isEmpty ? "en" : recording.language)
        let end = try host.encode("<|endoftext|>", parseSpecial: true)
        guard end.count == 1 else { return (prefix, []) }
        return (prefix, try host.encode(" \(recording.text)") + end)
    }
}
