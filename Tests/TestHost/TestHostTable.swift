import CAuscultPlugin
import PluginKit

/// What the host's extensions do; one that is nil is not there.
public struct TestServices {
    public var encode: ((String, Bool) throws -> [Int32])?
    public var decode: (([Int32]) throws -> String)?
    public var weights: ((String) throws -> TestTensor)?
    /// Samples, tokens, interventions, hooks.
    public var run: (([Float]?, [Int32], [String], [String]) throws -> [TestTensor])?
    /// Whether audio came, and the sequences.
    public var logits: ((_ audio: Bool, _ sequences: [[Int32]]) throws -> TestTensor)?
    public var transcribe: (([Float], _ language: String, _ interventions: [String]) throws -> String)?
    /// The objectives' values, and the tensors in their order.
    public var pass: ((TestPass) throws -> (values: [Double], tensors: [TestTensor]))?
    public var folder: String?
    public var isCancelled: () -> Bool = { false }

    public init() {}
}

/// A pass that a plugin asks for.
public struct TestPass {
    public let samples: [Float]?
    public let logMel: (shape: [Int], elements: [Float], valid: Int)?
    public let tokens: [Int32]
    public let interventions, objectives, hooks: [String]

    init(_ pass: auscult_pass) throws {
        samples = pass.samples.map { Array(elements($0, pass.sample_count)) }
        logMel = try pass.log_mel.map {
            let view = try TensorView($0.pointee)
            return (view.shape, view.floats(), view.validPositions)
        }
        tokens = Array(elements(pass.tokens, pass.token_count))
        interventions = elements(pass.interventions, pass.intervention_count).map { text($0) }
        objectives = elements(pass.objectives, pass.objective_count).map { text($0) }
        hooks = elements(pass.hooks, pass.hook_count).map { text($0) }
    }
}

/// The host as C sees it: what it is told is kept.
final class TestHostTable {
    private let memory = CMemory()
    private let outputs: [String: Int32]
    fileprivate let services: TestServices
    private(set) var pointer: UnsafePointer<auscult_host>
    fileprivate(set) var results: [TestResult] = []
    fileprivate(set) var log: [String] = []
    fileprivate var error = CMemory()
    fileprivate var message: UnsafePointer<CChar>
    private var tables: [String: UnsafeRawPointer] = [:]

    init(_ outputs: [String: Int32], _ services: TestServices) {
        self.outputs = outputs
        self.services = services
        message = memory.string("")
        let made = memory.value(auscult_host())
        pointer = UnsafePointer(made)
        made.pointee = auscult_host(
            struct_size: UInt32(MemoryLayout<auscult_host>.size), abi_major: 1, abi_minor: 0,
            name: memory.string("test"), version: memory.string("1.0.0"),
            context: Unmanaged.passUnretained(self).toOpaque(),
            emit: { host, id, value in
                attempt(host) {
                    try $0.keep(text(id), value?.pointee)
                    return 0
                }
            },
            get_extension: { host, id in table(host)?.tables[text(id)] },
            last_error: { table($0)?.message })
        addTables()
    }

    private func keep(_ id: String, _ value: auscult_value?) throws {
        guard let value, let kind = outputs[id], kind == value.kind else {
            throw TestHostError("\(id) of kind \(value?.kind ?? 0) was not declared", status: 2)
        }
        results.append(try TestResult(id, value))
    }

    private func add<Table: BitwiseCopyable>(_ id: String, _ table: Table) {
        tables[id] = UnsafeRawPointer(memory.value(table))
    }

    private func addTables() {
        add(
            AUSCULT_HOST_LOG,
            auscult_host_log(
                struct_size: UInt32(MemoryLayout<auscult_host_log>.size),
                log: { host, _, message in table(host)?.log.append(text(message)) }, progress: { _, _, _, _ in },
                is_cancelled: { table($0)?.services.isCancelled() == true ? 1 : 0 }))
        if services.encode != nil || services.decode != nil {
            add(
                AUSCULT_HOST_TOKENIZER,
                auscult_host_tokenizer(
                    struct_size: UInt32(MemoryLayout<auscult_host_tokenizer>.size),
                    encode: { host, words, special, ids, capacity, count in
                        attempt(host) {
                            let all = try wanted($0.services.encode)(text(words), special != 0)
                            for (index, id) in all.prefix(Int(capacity)).enumerated() { ids?[index] = id }
                            count?.pointee = UInt32(all.count)
                            return 0
                        }
                    },
                    decode: { host, ids, idCount, bytes, capacity, count in
                        attempt(host) {
                            let words = try wanted($0.services.decode)(Array(elements(ids, idCount)))
                            return write(words, bytes, capacity, count)
                        }
                    }))
        }
        if services.weights != nil {
            add(
                AUSCULT_HOST_WEIGHTS,
                auscult_host_weights(
                    struct_size: UInt32(MemoryLayout<auscult_host_weights>.size),
                    get: { host, name, sink, context in
                        attempt(host) { return give([try wanted($0.services.weights)(text(name))], sink, context) }
                    }))
        }
        if services.run != nil || services.logits != nil || services.transcribe != nil { addModel() }
        if services.pass != nil {
            add(
                AUSCULT_HOST_GRADIENTS,
                auscult_host_gradients(
                    struct_size: UInt32(MemoryLayout<auscult_host_gradients>.size),
                    run: { host, pass, values, sink, context in
                        attempt(host) {
                            guard let pass else { throw TestHostError("no pass", status: 2) }
                            let found = try wanted($0.services.pass)(TestPass(pass.pointee))
                            for (index, value) in found.values.enumerated() { values?[index] = value }
                            return give(found.tensors, sink, context)
                        }
                    }))
        }
        if let folder = services.folder {
            self.folder = memory.string(folder)
            add(
                AUSCULT_HOST_FOLDER,
                auscult_host_folder(
                    struct_size: UInt32(MemoryLayout<auscult_host_folder>.size), path: { table($0)?.folder }))
        }
    }

    private var folder: UnsafePointer<CChar>?

    private func addModel() {
        add(
            AUSCULT_HOST_MODEL,
            auscult_host_model(
                struct_size: UInt32(MemoryLayout<auscult_host_model>.size),
                run: {
                    host, samples, count, tokens, tokenCount, changes, changeCount, hooks, hookCount, sink, context in
                    attempt(host) {
                        let tensors = try wanted($0.services.run)(
                            samples.map { Array(elements($0, count)) }, Array(elements(tokens, tokenCount)),
                            elements(changes, changeCount).map { text($0) }, elements(hooks, hookCount).map { text($0) }
                        )
                        return give(tensors, sink, context)
                    }
                },
                decode: { host, audio, tokens, sequences, length, sink, context in
                    attempt(host) {
                        let all = Array(elements(tokens, sequences * length)), width = Int(length)
                        let logits = try wanted($0.services.logits)(
                            audio != nil, (0..<Int(sequences)).map { Array(all[$0 * width..<($0 + 1) * width]) })
                        return give([logits], sink, context)
                    }
                },
                transcribe: { host, samples, count, language, changes, changeCount, bytes, capacity, written in
                    attempt(host) {
                        let words = try wanted($0.services.transcribe)(
                            Array(elements(samples, count)), text(language),
                            elements(changes, changeCount).map { text($0) })
                        return write(words, bytes, capacity, written)
                    }
                }))
    }
}

private func table(_ host: UnsafePointer<auscult_host>?) -> TestHostTable? {
    host?.pointee.context.map { Unmanaged<TestHostTable>.fromOpaque($0).takeUnretainedValue() }
}

private func attempt(
    _ host: UnsafePointer<auscult_host>?, _ body: (TestHostTable) throws -> auscult_status
) -> auscult_status {
    guard let table = table(host) else { return 1 }
    do { return try body(table) } catch {
        table.error = CMemory()
        table.message = table.error.string((error as? TestHostError)?.message ?? "\(error)")
        return (error as? TestHostError).map { max($0.status, 1) } ?? 1
    }
}

private func wanted<Service>(_ service: Service?) throws -> Service {
    guard let service else { throw TestHostError("this host has no such service", status: 5) }
    return service
}

private func write(
    _ text: String, _ bytes: UnsafeMutablePointer<CChar>?, _ capacity: UInt64, _ count: UnsafeMutablePointer<UInt64>?
) -> auscult_status {
    for (index, byte) in text.utf8.prefix(Int(clamping: capacity)).enumerated() {
        bytes?[index] = CChar(bitPattern: byte)
    }
    count?.pointee = UInt64(text.utf8.count)
    return 0
}

/// Hands tensors over, one by one, until the sink has had enough.
private func give(
    _ tensors: [TestTensor], _ sink: auscult_tensor_sink?, _ context: UnsafeMutableRawPointer?
) -> auscult_status {
    for tensor in tensors {
        let memory = CMemory()
        var c = tensor.c(memory)
        let status = sink?(context, &c) ?? 0
        if status != 0 { return status }
    }
    return 0
}
