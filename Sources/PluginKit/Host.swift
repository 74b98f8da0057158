import CAuscultPlugin

/// The program that runs the plugin. Its functions are called on the plugin's thread, in a function that the host
/// called, unless they say otherwise.
public final class Host {
    let pointer: UnsafePointer<auscult_host>

    init(_ pointer: UnsafePointer<auscult_host>) throws {
        try requireSize(pointer.pointee.struct_size, of: auscult_host.self, "table of functions")
        self.pointer = pointer
    }

    /// "auscult", and its version.
    public var name: String { text(pointer.pointee.name) }
    public var version: String { text(pointer.pointee.version) }

    func check(_ status: auscult_status, _ what: String) throws {
        guard status != Status.ok else { return }
        let why = text(pointer.pointee.last_error(pointer))
        throw PluginError(.init(rawValue: status), why.isEmpty ? "\(what) was refused with status \(status)" : why)
    }

    private func table<Table>(_ id: String, _: Table.Type) -> UnsafePointer<Table>? {
        guard let found = pointer.pointee.get_extension(pointer, id) else { return nil }
        let size = found.load(as: UInt32.self)
        return size >= UInt32(MemoryLayout<Table>.size) ? found.assumingMemoryBound(to: Table.self) : nil
    }

    func required<Table>(_ id: String, _ type: Table.Type) throws -> UnsafePointer<Table> {
        guard let table = table(id, type) else {
            throw PluginError(.unsupported, "the host \(name) \(version) has no \(id)")
        }
        return table
    }
}

// MARK: - Words for people

extension Host {
    public enum LogLevel: Int32, Sendable { case debug, info, warning, error }

    /// Says something to whoever runs this. Lost where the host has no log. Any thread.
    public func log(_ message: String, _ level: LogLevel = .info) {
        guard let table = table(AUSCULT_HOST_LOG, auscult_host_log.self) else { return }
        table.pointee.log(pointer, level.rawValue, message)
    }

    /// How far the work has come. Any thread.
    public func progress(_ done: Double, of total: Double, unit: String = "") {
        guard let table = table(AUSCULT_HOST_LOG, auscult_host_log.self) else { return }
        table.pointee.progress(pointer, done, total, unit)
    }

    /// Whether the run is to end. Any thread.
    public var isCancelled: Bool {
        guard let table = table(AUSCULT_HOST_LOG, auscult_host_log.self) else { return false }
        return table.pointee.is_cancelled(pointer) != 0
    }

    /// For long loops.
    /// - Throws: ``PluginError`` (`cancelled`) where the run is to end.
    public func checkCancellation() throws {
        if isCancelled { throw PluginError(.cancelled, "the run was cancelled") }
    }
}

// MARK: - Tokens

extension Host {
    /// The tokens of a text.
    /// - Parameter parseSpecial: whether "<|en|>" means that token.
    public func encode(_ text: String, parseSpecial: Bool = false) throws -> [Int32] {
        let table = try required(AUSCULT_HOST_TOKENIZER, auscult_host_tokenizer.self)
        return try filled("the tokens of a text", initial: text.utf8.count + 8) {
            (start: UnsafeMutablePointer<Int32>, room) in
            var count: UInt32 = 0
            let status = table.pointee.encode(
                pointer, text, parseSpecial ? 1 : 0, start, UInt32(clamping: room), &count)
            return (status, UInt64(count))
        }
    }

    /// The text of tokens. Bytes that are no UTF-8 become U+FFFD.
    public func decode(_ tokens: [Int32]) throws -> String {
        let table = try required(AUSCULT_HOST_TOKENIZER, auscult_host_tokenizer.self)
        let bytes: [CChar] = try filled("the text of tokens", initial: 16 * tokens.count + 16) { start, room in
            var count: UInt64 = 0
            let status = table.pointee.decode(
                pointer, tokens, UInt32(clamping: tokens.count), start, UInt64(room), &count)
            return (status, count)
        }
        return String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Calls a function that writes up to `room` elements and says how many there are, again where they did not fit.
    private func filled<Element: ExpressibleByIntegerLiteral>(
        _ what: String, initial: Int, _ call: (UnsafeMutablePointer<Element>, Int) throws -> (auscult_status, UInt64)
    ) throws -> [Element] {
        var room = initial
        for _ in 0..<3 {
            var there: UInt64 = 0
            let values = try [Element](unsafeUninitializedCapacity: room) { buffer, used in
                guard let start = buffer.baseAddress else { return }
                start.initialize(repeating: 0, count: room)
                let (status, count) = try call(start, room)
                try check(status, what)
                there = count
                used = min(room, Int(clamping: count))
            }
            if there <= UInt64(room) { return values }
            guard there < 1 << 32 else { throw PluginError(.limit, "\(what) has \(there) elements, which is too many") }
            room = Int(there)
        }
        throw PluginError(.failed, "\(what) has another number of elements each time that it is asked for")
    }
}

// MARK: - The model

extension Host {
    /// A parameter of the model, by openai/whisper's name: "decoder.token_embedding.weight". `body` looks at it, and
    /// copies what it needs.
    public func weights<Value>(_ name: String, _ body: (TensorView) throws -> Value) throws -> Value {
        let table = try required(AUSCULT_HOST_WEIGHTS, auscult_host_weights.self)
        return try one("the weight \"\(name)\"", body) { sink, context in
            table.pointee.get(pointer, name, sink, context)
        }
    }

    /// Runs the model, and gives each hook point that the globs name to `body`, in the order of the forward pass.
    /// - Parameters:
    ///   - samples: 16 kHz mono, at most one window; nil for all padding.
    ///   - tokens: what the decoder reads; empty for none.
    ///   - interventions: in their text form.
    public func run(
        _ samples: [Float]?, tokens: [Int32] = [], interventions: [String] = [], hooks: [String],
        _ body: (TensorView) throws -> Void
    ) throws {
        let table = try required(AUSCULT_HOST_MODEL, auscult_host_model.self)
        let memory = CMemory()
        let (changes, globs) = (memory.strings(interventions), memory.strings(hooks))
        try each("a run of the model", body) { sink, context in
            withOptionalPointer(samples) { start, count in
                table.pointee.run(
                    pointer, start, UInt64(count), tokens.isEmpty ? nil : memory.array(tokens), UInt32(tokens.count),
                    changes, UInt32(interventions.count), globs, UInt32(hooks.count), sink, context)
            }
        }
    }

    /// The logits after the last token of each sequence, `[sequences, n_vocab]`.
    /// - Parameters:
    ///   - audio: the encoder's output, `[n_audio_ctx, n_audio_state]`; nil for what it gives for all padding.
    ///   - sequences: of one length each; at most 1024.
    public func decode<Value>(
        audio: TensorView? = nil, sequences: [[Int32]], _ body: (TensorView) throws -> Value
    ) throws -> Value {
        let table = try required(AUSCULT_HOST_MODEL, auscult_host_model.self)
        let length = sequences.first?.count ?? 0
        guard sequences.allSatisfy({ $0.count == length }) else {
            throw PluginError(.invalidArgument, "sequences to decode have to be of one length")
        }
        let tokens = Array(sequences.joined())
        func call(_ audio: UnsafePointer<auscult_tensor>?) throws -> Value {
            try one("logits of \(sequences.count) sequences", body) { sink, context in
                table.pointee.decode(
                    pointer, audio, tokens, UInt32(clamping: sequences.count), UInt32(clamping: length), sink, context)
            }
        }
        guard let audio else { return try call(nil) }
        return try audio.withC { tensor in try withUnsafePointer(to: tensor, call) }
    }

    /// The transcript of samples (16 kHz mono) of any length.
    public func transcribe(_ samples: [Float], language: String = "", interventions: [String] = []) throws -> String {
        let table = try required(AUSCULT_HOST_MODEL, auscult_host_model.self)
        let memory = CMemory()
        let changes = memory.strings(interventions)
        // A second call would transcribe again, so there is room for what any minute of speech has.
        let room = 4096 + samples.count / 16
        let bytes: [CChar] = try filled("a transcript", initial: room) { start, room in
            var count: UInt64 = 0
            let status = table.pointee.transcribe(
                pointer, samples, UInt64(samples.count), language, changes, UInt32(interventions.count), start,
                UInt64(room), &count)
            return (status, count)
        }
        return String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A folder of the plugin's own that stays from run to run.
    public func folder() throws -> String {
        let table = try required(AUSCULT_HOST_FOLDER, auscult_host_folder.self)
        guard let path = table.pointee.path(pointer) else {
            throw PluginError(.unsupported, "the host gave no folder: \(text(pointer.pointee.last_error(pointer)))")
        }
        return text(path)
    }
}

// MARK: - Tensors from the host

/// Takes tensors one by one, and keeps the error that ends it.
private final class Sink {
    let body: (TensorView) throws -> Void
    var error: (any Error)?
    init(_ body: @escaping (TensorView) throws -> Void) { self.body = body }

    static let function: auscult_tensor_sink = { context, tensor in
        guard let context, let tensor else { return Status.failed }
        let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
        do {
            try sink.body(TensorView(tensor.pointee))
            return Status.ok
        } catch {
            sink.error = error
            return (error as? PluginError)?.code.rawValue ?? Status.failed
        }
    }
}

extension Host {
    func each(
        _ what: String, _ body: (TensorView) throws -> Void,
        _ call: (@escaping auscult_tensor_sink, UnsafeMutableRawPointer) -> auscult_status
    ) throws {
        try withoutActuallyEscaping(body) { body in
            let sink = Sink(body)
            let status = withExtendedLifetime(sink) { call(Sink.function, Unmanaged.passUnretained(sink).toOpaque()) }
            if let error = sink.error { throw error }
            try check(status, what)
        }
    }

    private func one<Value>(
        _ what: String, _ body: (TensorView) throws -> Value,
        _ call: (@escaping auscult_tensor_sink, UnsafeMutableRawPointer) -> auscult_status
    ) throws -> Value {
        var value: Value?
        try each(what, { value = try body($0) }, call)
        guard let value else { throw PluginError(.failed, "the host gave no tensor for \(what)") }
        return value
    }
}

private func withOptionalPointer<Value>(
    _ samples: [Float]?, _ body: (UnsafePointer<Float>?, Int) -> Value
) -> Value {
    guard let samples else { return body(nil, 0) }
    return samples.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
}
