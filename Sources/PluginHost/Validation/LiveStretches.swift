import Messages

extension PluginValidator {
    /// Stretches as a live session has them, for a plugin that says that it can hear them.
    func hearsLive() throws -> Outcome {
        try withRun { run, needs in
            guard needs.canStream else { return .skipped("it does not say that it can stream (AUSCULT_CAN_STREAM)") }
            guard !needs.nothingToHear else {
                throw BrokenCheck("it says that it can stream (AUSCULT_CAN_STREAM), and hears nothing")
            }
            let stretches = try clips(of: .voice(number: 0), needs).flatMap { try $0.stretches() }
            for stretch in stretches { try run.process.process(stretch, instance: 0) }
            let meanwhile = run.takeResults().count
            try run.finish()
            if let refused = run.refusedResults.first { throw BrokenCheck(refused) }
            return .passed(
                "\(stretches.count) stretches; \(meanwhile) results meanwhile, \(run.takeResults().count) at the end")
        }
    }
}

extension PluginClipValue {
    /// Frames that stretches have, again and again; sound may end within one, and one of a frame is none to stumble over.
    private static let lengths = [40, 1, 80, 33]
    /// Seconds, and samples, of a frame.
    private static let frame = 0.02
    private static let samplesInFrame = 320

    /// The clip as a live session gives it: in stretches of its frames, one in four of which nobody heard.
    /// - Throws: ``BrokenCheck`` for tensors that cannot be cut so.
    func stretches() throws -> [PluginClipValue] {
        var found: [PluginClipValue] = []
        var (first, index) = (0, 0)
        while first < validFrames {
            let end = min(first + Self.lengths[index % Self.lengths.count], validFrames)
            if index % 4 != 3 { found.append(try stretch(first..<end, number: found.count)) }
            (first, index) = (end, index + 1)
        }
        return found
    }

    private func stretch(_ frames: Range<Int>, number: Int) throws -> PluginClipValue {
        var clip = self
        clip.recording = 0
        (clip.window, clip.windowCount) = (number, 0)
        clip.start = start + Double(frames.lowerBound) * Self.frame
        clip.validFrames = frames.count
        clip.duration = min(Double(frames.count) * Self.frame, max(0, start + duration - clip.start))
        if let samples {
            let range = (frames.lowerBound * Self.samplesInFrame..<frames.upperBound * Self.samplesInFrame)
                .clamped(to: 0..<samples.count)
            clip.samples = Array(samples[range])
        }
        clip.tensors = try tensors.map { try $0.stretch(frames) }
        (clip.labels, clip.phonemes, clip.words) = ([], [], [])
        return clip
    }
}

extension PluginTensor {
    /// The rows of some frames.
    fileprivate func stretch(_ frames: Range<Int>) throws -> PluginTensor {
        guard let axis = axes.first, axis == "frame" || axis == "mel_frame", let rows = shape.first else {
            throw BrokenCheck(
                "it says that it can stream (AUSCULT_CAN_STREAM), and needs \(hook), which has the axes "
                    + "\(axes.joined(separator: ", ")); expected encoder activations, frame by frame")
        }
        // A log-mel frame is half as long.
        let each = axis == "frame" ? 1 : 2
        let range = (frames.lowerBound * each..<frames.upperBound * each).clamped(to: 0..<rows)
        let rowBytes = try rows > 0 ? byteCount / rows : 0
        let whole = withBytes
        return PluginTensor(
            dtype: dtype, shape: [range.count] + shape.dropFirst(), hook: hook, axes: axes,
            firstPosition: firstPosition + range.lowerBound, positionsPerSecond: positionsPerSecond,
            validPositions: range.count
        ) { body in
            try whole { bytes in
                try body(
                    UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound * rowBytes..<range.upperBound * rowBytes]))
            }
        }
    }
}
