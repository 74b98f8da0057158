import Files
import Messages

extension PluginClipValue {
    /// The call, and the memory that its tensors and samples lie in; nil where there are none.
    func message() throws -> (HostV1.Process, FileDescriptor?) {
        guard let window = UInt32(exactly: window), let windows = UInt32(exactly: windowCount) else {
            throw PluginError(.invalidArgument, "recording \(name): window \(window) of \(windowCount)")
        }
        var call = HostV1.Process(
            recording: recording, window: window, windowCount: windows, name: name, start: start, duration: duration,
            validFrames: Int64(validFrames), labels: labels.map { HostV1.Column(name: $0.column, value: $0.value) },
            phonemes: phonemes.map(\.message), words: words.map(\.message))
        call.tokens = tokens.map { HostV1.Tokens(ids: $0) }
        guard !tensors.isEmpty || samples != nil else { return (call, nil) }
        var memory = try SealedMemory()
        for tensor in tensors { call.tensors.append(try memory.append(tensor)) }
        if let samples {
            let offset = try samples.withUnsafeBytes { try memory.append($0) }
            call.samples = HostV1.MappedSamples(offset: offset, count: UInt64(samples.count))
        }
        try memory.seal()
        call.memory = UInt64(memory.size)
        return (call, memory.descriptor)
    }
}

extension PluginTimedLabel {
    fileprivate var message: HostV1.TimedLabel { HostV1.TimedLabel(start: start, end: end, label: label) }
}

extension PluginNeedsValue {
    /// Needs from the other side; nil where they are out of bounds.
    init?(_ message: HostV1.Needs) {
        let needs = message.needs ?? V1.PluginNeeds()
        guard DescriptionCheck.needsProblem(needs) == nil else { return nil }
        hooks = needs.hooks
        objective = needs.gradients ? needs.objective : nil
        allFrames = needs.allFrames
        audio = needs.audio
        decoder = needs.decoder
        labels = needs.labels
        nothingToHear = message.nothingToHear
        hasState = message.hasState
    }
}
