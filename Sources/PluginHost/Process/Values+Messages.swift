import Messages

extension PluginClipValue {
    /// Bytes that its tensors and samples take in a memory; nil where it has none of either.
    var memorySize: Int? {
        get throws {
            guard !tensors.isEmpty || samples != nil else { return nil }
            let parts = try tensors.map { try $0.byteCount } + (samples.map { [$0.count * 4] } ?? [])
            return try parts.reduce(0) { size, part in
                let (sum, overflow) = PluginMemoryLayout.aligned(size).addingReportingOverflow(part)
                guard !overflow, sum < 1 << 46 else {
                    throw PluginError(
                        .invalidArgument, "recording \(name): \(parts.count) tensors larger than any memory")
                }
                return sum
            }
        }
    }

    /// Whether it is too large for the memory that windows are put into in turn, and so comes in memory of its own.
    package var isLarge: Bool { get throws { try memorySize ?? 0 > WindowMemory.largest } }

    /// The call, whose tensors and samples are put into `memory`.
    func message<Memory: PluginMemory & ~Copyable>(into memory: inout Memory) throws -> HostV1.Process {
        var call = try message()
        for tensor in tensors { call.tensors.append(try memory.append(tensor)) }
        if let samples {
            let offset = try samples.withUnsafeBytes { try memory.append($0) }
            call.samples = HostV1.MappedSamples(offset: offset, count: UInt64(samples.count))
        }
        call.memory = UInt64(memory.size)
        return call
    }

    /// The call without tensors and samples.
    func message() throws -> HostV1.Process {
        guard let window = UInt32(exactly: window), let windows = UInt32(exactly: windowCount) else {
            throw PluginError(.invalidArgument, "recording \(name): window \(window) of \(windowCount)")
        }
        var call = HostV1.Process(
            recording: recording, window: window, windowCount: windows, name: name, start: start, duration: duration,
            validFrames: Int64(validFrames), labels: labels.map { HostV1.Column(name: $0.column, value: $0.value) },
            phonemes: phonemes.map(\.message), words: words.map(\.message))
        call.tokens = tokens.map { HostV1.Tokens(ids: $0) }
        return call
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
        oneRun = needs.oneRun
        canStream = needs.canStream
        nothingToHear = message.nothingToHear
        hasState = message.hasState
    }
}
