import CAuscultPlugin

/// Something that lasts from `start` to `end`, in seconds, half open.
public protocol Timed {
    var start: Double { get }
    var end: Double { get }
}

extension RandomAccessCollection where Element: Timed {
    /// The place of what lasts at `time`; nil where nothing does. The elements are in the order of time.
    @inlinable
    public func place(at time: Double) -> Index? {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = index(low, offsetBy: distance(from: low, to: high) / 2)
            if self[middle].end <= time { low = index(after: middle) } else { high = middle }
        }
        return low < endIndex && self[low].start <= time ? low : nil
    }
}

/// What is heard from `start` to `end`, in seconds from the recording's beginning, half open.
public struct TimedLabel: Timed, Sendable {
    public let start, end: Double
    public let label: String
}

/// One window of one recording: what `process` is given. A recording that fits the model's window is one clip.
public struct Clip {
    /// Of the recording in the data set, from 0; the same in every shard of it.
    public let recording: UInt64
    public let window, windowCount: Int
    /// As the recording was named.
    public let name: String
    /// Seconds, of this window in the recording.
    public let start: Double
    /// Seconds of audio in this window.
    public let duration: Double
    /// Encoder frames that overlap audio.
    public let validFrames: Int
    /// The hook points that were asked for, in the order of the forward pass.
    public let tensors: [TensorView]
    /// 16 kHz mono, where audio was asked for; else empty.
    public let samples: UnsafeBufferPointer<Float>
    /// What the decoder read, where it was asked for; else empty.
    public let tokens: UnsafeBufferPointer<Int32>
    /// The data set's columns for this recording.
    public let labels: [String: String]
    public let phonemes, words: [TimedLabel]

    /// Whether it is the last of its recording.
    public var isLastWindow: Bool { window + 1 >= windowCount }

    /// The tensor of a hook point.
    /// - Throws: ``PluginError`` (`notFound`) that says which there are.
    public func tensor(_ hook: String) throws -> TensorView {
        guard let tensor = tensors.first(where: { $0.hook == hook }) else {
            let there = tensors.isEmpty ? "none" : tensors.map(\.hook).joined(separator: ", ")
            throw PluginError(.notFound, "\(name) came without \(hook); there is \(there)")
        }
        return tensor
    }

    init(_ clip: auscult_clip) throws {
        try requireSize(clip.struct_size, of: auscult_clip.self, "clip")
        recording = clip.recording
        window = Int(clip.window)
        windowCount = Int(clip.window_count)
        name = text(clip.name)
        start = clip.start
        duration = clip.duration
        validFrames = max(0, Int(clip.valid_frames))
        tensors = try elements(clip.tensors, clip.tensor_count).map(TensorView.init)
        samples = elements(clip.samples, clip.sample_count)
        tokens = elements(clip.tokens, clip.token_count)
        labels = Dictionary(
            elements(clip.labels, clip.label_count).map { (text($0.column), text($0.value)) },
            uniquingKeysWith: { first, _ in first })
        phonemes = elements(clip.phonemes, clip.phoneme_count).map(TimedLabel.init)
        words = elements(clip.words, clip.word_count).map(TimedLabel.init)
    }
}

extension TimedLabel {
    init(_ label: auscult_timed_label) {
        start = label.start
        end = label.end
        self.label = text(label.label)
    }
}

/// The model of a run.
public struct Run: Sendable {
    public let model, modelSHA256: String
    public let nMels, nAudioCtx, nAudioState, nAudioHead, nAudioLayer: Int
    public let nVocab, nTextCtx, nTextState, nTextHead, nTextLayer: Int
    /// Recordings that this process will see; 0 where it is not known.
    public let recordings: UInt64
    /// Seed of the random numbers. What draws at random uses this and nothing else.
    public let seed: UInt64
    /// In what numbers the model computes: "exact", "int8", "bf16".
    public let precision: String

    init(_ run: auscult_run) throws {
        // What came after the first version: a host of that one has nothing else than exact models.
        let first = MemoryLayout<auscult_run>.offset(of: \.precision) ?? 0
        try requireSize(run.struct_size, atLeast: first, "run")
        precision = run.struct_size >= UInt32(MemoryLayout<auscult_run>.size) ? text(run.precision) : "exact"
        model = text(run.model)
        modelSHA256 = text(run.model_sha256)
        nMels = Int(run.n_mels)
        nAudioCtx = Int(run.n_audio_ctx)
        nAudioState = Int(run.n_audio_state)
        nAudioHead = Int(run.n_audio_head)
        nAudioLayer = Int(run.n_audio_layer)
        nVocab = Int(run.n_vocab)
        nTextCtx = Int(run.n_text_ctx)
        nTextState = Int(run.n_text_state)
        nTextHead = Int(run.n_text_head)
        nTextLayer = Int(run.n_text_layer)
        recordings = run.recordings
        seed = run.seed
    }
}
