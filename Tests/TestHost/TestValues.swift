import CAuscultPlugin
import PluginKit

/// A tensor that a test makes up: float32, contiguous.
public struct TestTensor {
    public var hook: String
    public var axes: [String]
    public var shape: [Int]
    public var values: [Float]
    /// Where the values lie instead of in ``values``, as many as the shape says: they are not copied, and have to stay while
    /// the plugin is called.
    public var place: UnsafeRawPointer?
    public var firstPosition = 0
    public var positionsPerSecond = 50.0
    public var validPositions = 0

    public init(
        _ hook: String, axes: [String], shape: [Int], values: [Float], positionsPerSecond: Double = 50,
        validPositions: Int? = nil
    ) {
        self.hook = hook
        self.axes = axes
        self.shape = shape
        self.values = values
        self.positionsPerSecond = positionsPerSecond
        self.validPositions = validPositions ?? shape.first ?? 0
    }

    func c(_ memory: CMemory) -> auscult_tensor {
        var tensor = auscult_tensor()
        tensor.struct_size = UInt32(MemoryLayout<auscult_tensor>.size)
        tensor.dtype = 1
        tensor.rank = UInt32(shape.count)
        withUnsafeMutableBytes(of: &tensor.shape) { bytes in
            let extents = bytes.bindMemory(to: Int64.self)
            for axis in shape.indices { extents[axis] = Int64(shape[axis]) }
        }
        withUnsafeMutableBytes(of: &tensor.strides) { bytes in
            let strides = bytes.bindMemory(to: Int64.self)
            for axis in shape.indices { strides[axis] = Int64(shape[(axis + 1)...].reduce(1, *)) }
        }
        tensor.data = place ?? memory.array(values).map { UnsafeRawPointer($0) }
        tensor.hook = memory.string(hook)
        let empty = memory.string("")
        withUnsafeMutableBytes(of: &tensor.axes) { bytes in
            let names = bytes.bindMemory(to: UnsafePointer<CChar>?.self)
            for axis in names.indices { names[axis] = axis < axes.count ? memory.string(axes[axis]) : empty }
        }
        tensor.first_position = Int64(firstPosition)
        tensor.positions_per_second = positionsPerSecond
        tensor.valid_positions = Int64(validPositions)
        return tensor
    }
}

/// A clip that a test makes up.
public struct TestClip {
    public var recording: UInt64 = 0
    public var window = 0, windowCount = 1
    public var name = "a.wav"
    public var start = 0.0, duration = 1.0
    public var validFrames = 50
    public var tensors: [TestTensor] = []
    public var samples: [Float]?
    public var tokens: [Int32]?
    public var labels: [String: String] = [:]
    public var phonemes: [(start: Double, end: Double, label: String)] = []
    public var words: [(start: Double, end: Double, label: String)] = []

    public init() {}

    func c(_ memory: CMemory) -> auscult_clip {
        func timed(_ labels: [(start: Double, end: Double, label: String)]) -> UnsafePointer<auscult_timed_label>? {
            memory.array(
                labels.map { auscult_timed_label(start: $0.start, end: $0.end, label: memory.string($0.label)) })
        }
        return auscult_clip(
            struct_size: UInt32(MemoryLayout<auscult_clip>.size), recording: recording, window: UInt32(window),
            window_count: UInt32(windowCount), name: memory.string(name), start: start, duration: duration,
            valid_frames: Int64(validFrames), tensors: memory.array(tensors.map { $0.c(memory) }),
            tensor_count: UInt32(tensors.count), samples: samples.flatMap(memory.array),
            sample_count: UInt64(samples?.count ?? 0), tokens: tokens.flatMap(memory.array),
            token_count: UInt32(tokens?.count ?? 0),
            labels: memory.array(
                labels.sorted { $0.key < $1.key }
                    .map { auscult_label(column: memory.string($0.key), value: memory.string($0.value)) }),
            label_count: UInt32(labels.count), phonemes: timed(phonemes), phoneme_count: UInt32(phonemes.count),
            words: timed(words), word_count: UInt32(words.count))
    }
}

/// The model of a run that a test makes up.
public struct TestRun {
    public var model = "made-up"
    public var nAudioCtx = 1500, nAudioState = 8, nAudioHead = 2, nAudioLayer = 2
    public var nVocab = 16, nTextCtx = 64, nTextState = 8, nTextHead = 2, nTextLayer = 2
    public var recordings: UInt64 = 0, seed: UInt64 = 0

    public init() {}

    func c(_ memory: CMemory) -> auscult_run {
        auscult_run(
            struct_size: UInt32(MemoryLayout<auscult_run>.size), model: memory.string(model),
            model_sha256: memory.string(String(repeating: "0", count: 64)), n_mels: 80,
            n_audio_ctx: UInt32(nAudioCtx), n_audio_state: UInt32(nAudioState), n_audio_head: UInt32(nAudioHead),
            n_audio_layer: UInt32(nAudioLayer), n_vocab: UInt32(nVocab), n_text_ctx: UInt32(nTextCtx),
            n_text_state: UInt32(nTextState), n_text_head: UInt32(nTextHead), n_text_layer: UInt32(nTextLayer),
            recordings: recordings, seed: seed, precision: memory.string("exact"))
    }
}

/// What a plugin emitted, copied.
public struct TestResult {
    public enum Value {
        case scalar(Double)
        /// Vectors have one extent, matrices two.
        case array([Double], shape: [Int])
        case table(columns: [String], rows: [[Cell]])
        case events([TimedEvent])
        case audio([Float], sampleRate: Int)
        case text(String)
    }

    public let output: String
    /// "" where it is about all of them.
    public let recording: String
    public let value: Value
    public let axes: [Axis]

    init(_ output: String, _ c: auscult_value) throws {
        self.output = output
        recording = text(c.recording)
        axes = elements(c.axes, c.axis_count).map {
            Axis(
                text($0.name), unit: text($0.unit), labels: elements($0.labels, $0.label_count).map { text($0) },
                first: $0.first, step: $0.step)
        }
        switch c.kind {
        case 1: value = .scalar(c.scalar)
        case 2, 3:
            guard let array = c.array else { throw TestHostError("\(output) has no array") }
            let view = try TensorView(array.pointee)
            guard view.rank == Int(c.kind) - 1, view.element == .float32 || view.element == .float64 else {
                throw TestHostError("\(output) has shape \(view.shape)")
            }
            value = .array(view.doubles(), shape: view.shape)
        case 4:
            let width = Int(c.column_count)
            let cells = elements(c.cells, c.row_count * UInt64(width))
                .map { $0.text.map { Cell.text(text($0)) } ?? .number($0.number) }
            value = .table(
                columns: elements(c.columns, width).map { text($0) },
                rows: (0..<Int(c.row_count)).map { Array(cells[$0 * width..<($0 + 1) * width]) })
        case 5:
            value = .events(
                elements(c.events, c.event_count)
                    .map { TimedEvent(start: $0.start, end: $0.end, label: text($0.label), value: $0.value) })
        case 6: value = .audio(Array(elements(c.samples, c.sample_count)), sampleRate: Int(c.sample_rate))
        case 7: value = .text(text(c.text))
        default: throw TestHostError("\(output) is of kind \(c.kind)")
        }
        guard c.may_be_nan != 0 || numbers.allSatisfy(\.isFinite) else {
            throw TestHostError("\(output) has a number that is not finite")
        }
    }

    private var numbers: [Double] {
        switch value {
        case .scalar(let number): [number]
        case .array(let numbers, _): numbers
        case .table(_, let rows): rows.joined().compactMap { if case .number(let number) = $0 { number } else { nil } }
        case .events(let events): events.flatMap { [$0.start, $0.end, $0.value] }
        case .audio(let samples, _): samples.map(Double.init)
        case .text: []
        }
    }
}
