import CAuscultPlugin
import Messages

/// C's view of values for as long as one call of the plugin runs; all of it goes with the value.
final class CallMemory {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit { for block in blocks { block.deallocate() } }

    func text(_ text: String) -> UnsafePointer<CChar> {
        let utf8 = text.utf8CString
        let place = UnsafeMutablePointer<CChar>.allocate(capacity: utf8.count)
        utf8.withUnsafeBufferPointer { place.initialize(from: $0.baseAddress.unsafelyUnwrapped, count: $0.count) }
        blocks.append(UnsafeMutableRawPointer(place))
        return UnsafePointer(place)
    }

    func array<Element>(_ elements: [Element]) -> UnsafePointer<Element>? {
        guard !elements.isEmpty else { return nil }
        let place = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
        _ = UnsafeMutableBufferPointer(start: place, count: elements.count).initialize(from: elements)
        blocks.append(UnsafeMutableRawPointer(place))
        return UnsafePointer(place)
    }

    func tensor(_ tensor: HostV1.MappedTensor, in memory: MappedMemory) -> auscult_tensor {
        var c = auscult_tensor()
        c.struct_size = UInt32(MemoryLayout<auscult_tensor>.size)
        c.dtype = tensor.dtype.rawValue
        c.rank = UInt32(min(tensor.shape.count, PluginTensor.mostAxes))
        var strides = [Int64](repeating: 0, count: tensor.shape.count)
        var step: Int64 = 1
        for axis in tensor.shape.indices.reversed() {
            strides[axis] = step
            step = step.multipliedReportingOverflow(by: Int64(clamping: tensor.shape[axis])).partialValue
        }
        let empty = text("")
        withUnsafeMutableBytes(of: &c.shape) { bytes in
            for (axis, extent) in tensor.shape.prefix(PluginTensor.mostAxes).enumerated() {
                bytes.storeBytes(of: Int64(clamping: extent), toByteOffset: axis * 8, as: Int64.self)
            }
        }
        withUnsafeMutableBytes(of: &c.strides) { bytes in
            for (axis, stride) in strides.prefix(PluginTensor.mostAxes).enumerated() {
                bytes.storeBytes(of: stride, toByteOffset: axis * 8, as: Int64.self)
            }
        }
        c.axes = (
            axis(0, tensor, empty), axis(1, tensor, empty), axis(2, tensor, empty), axis(3, tensor, empty),
            axis(4, tensor, empty), axis(5, tensor, empty), axis(6, tensor, empty), axis(7, tensor, empty)
        )
        c.hook = text(tensor.hook)
        c.first_position = tensor.firstPosition
        c.positions_per_second = tensor.positionsPerSecond
        c.valid_positions = tensor.validPositions
        c.data = memory.place(tensor.offset, Int(step) * (tensor.dtype.pluginElementSize ?? 0))
        return c
    }

    private func axis(
        _ index: Int, _ tensor: HostV1.MappedTensor, _ empty: UnsafePointer<CChar>
    ) -> UnsafePointer<CChar> {
        index < tensor.axes.count ? text(tensor.axes[index]) : empty
    }

    func labels(_ labels: [HostV1.TimedLabel]) -> UnsafePointer<auscult_timed_label>? {
        array(labels.map { auscult_timed_label(start: $0.start, end: $0.end, label: text($0.label)) })
    }

    func clip(_ call: HostV1.Process, _ memory: MappedMemory?) -> auscult_clip {
        var c = auscult_clip()
        c.struct_size = UInt32(MemoryLayout<auscult_clip>.size)
        c.recording = call.recording
        c.window = call.window
        c.window_count = call.windowCount
        c.name = text(call.name)
        c.start = call.start
        c.duration = call.duration
        c.valid_frames = call.validFrames
        if let memory {
            c.tensors = array(call.tensors.map { tensor($0, in: memory) })
            c.tensor_count = UInt32(call.tensors.count)
            if let samples = call.samples {
                c.samples = memory.place(samples.offset, Int(clamping: samples.count) * 4)
                    .assumingMemoryBound(to: Float.self)
                c.sample_count = samples.count
            }
        }
        if let tokens = call.tokens {
            // No tokens are something else than no decoder.
            c.tokens = array(tokens.ids) ?? array([0])
            c.token_count = UInt32(tokens.ids.count)
        }
        c.labels = array(call.labels.map { auscult_label(column: text($0.name), value: text($0.value)) })
        c.label_count = UInt32(call.labels.count)
        c.phonemes = labels(call.phonemes)
        c.phoneme_count = UInt32(call.phonemes.count)
        c.words = labels(call.words)
        c.word_count = UInt32(call.words.count)
        return c
    }

    func run(_ call: HostV1.Activate) -> auscult_run {
        let d = call.dimensions ?? V1.Dimensions()
        return auscult_run(
            struct_size: UInt32(MemoryLayout<auscult_run>.size), model: text(call.model),
            model_sha256: text(call.modelSha256), n_mels: d.nMels, n_audio_ctx: d.nAudioCtx,
            n_audio_state: d.nAudioState, n_audio_head: d.nAudioHead, n_audio_layer: d.nAudioLayer, n_vocab: d.nVocab,
            n_text_ctx: d.nTextCtx, n_text_state: d.nTextState, n_text_head: d.nTextHead,
            n_text_layer: d.nTextLayer, recordings: call.recordings, seed: call.seed,
            precision: text(call.precision))
    }
}
