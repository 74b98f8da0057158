import CAuscultPlugin
import PluginKit

/// An instance of a plugin, called as the header says.
public final class TestInstance {
    private let plugin: TestPlugin
    private let host: TestHostTable
    private var instance: UnsafePointer<auscult_instance>?

    init(_ plugin: TestPlugin, _ arguments: [String: String], _ services: TestServices) throws {
        self.plugin = plugin
        host = TestHostTable(plugin.outputs, services)
        let memory = CMemory()
        let given = arguments.sorted { $0.key < $1.key }
            .map { auscult_argument(id: memory.string($0.key), value: memory.string($0.value)) }
        var error = [CChar](repeating: 0x7F, count: 512)
        let status = plugin.factory.create(
            host.pointer, memory.string(plugin.id), memory.array(given), UInt32(given.count), &instance, &error, 512)
        guard status == 0 else { throw TestHostError(text(error), status: status) }
        guard instance != nil else { throw TestHostError("create() gave no instance") }
    }

    deinit { destroy() }

    /// What was emitted so far.
    public var results: [TestResult] { host.results }
    public var log: [String] { host.log }

    public func result(_ output: String, recording: String = "") throws -> TestResult.Value {
        guard let found = results.last(where: { $0.output == output && $0.recording == recording }) else {
            throw TestHostError("there is no \(output) of \"\(recording)\"; there is \(results.map(\.output))")
        }
        return found.value
    }

    /// The hook points and flags that the instance wants, by its extension where it has one.
    public var needs: (hooks: [String], flags: UInt32) {
        guard let table: auscult_ext_needs = table(AUSCULT_EXT_NEEDS), let needs = table.needs(instance) else {
            return (plugin.hooks, plugin.flags)
        }
        return (elements(needs.pointee.hooks, needs.pointee.hook_count).map { text($0) }, needs.pointee.flags)
    }

    public func activate(_ run: TestRun = TestRun()) throws {
        let memory = CMemory()
        var run = run.c(memory)
        try check(instance?.pointee.activate(instance, &run), "activate()")
    }

    public func process(_ clip: TestClip) throws {
        let memory = CMemory()
        var clip = clip.c(memory)
        try check(instance?.pointee.process(instance, &clip), "process()")
    }

    /// A clip as C has it, for what ``TestClip`` cannot say.
    public func process(_ clip: auscult_clip) throws {
        var clip = clip
        try check(instance?.pointee.process(instance, &clip), "process()")
    }

    public func finish() throws { try check(instance?.pointee.finish(instance), "finish()") }

    /// Whether its state can be saved.
    public var isMonoid: Bool { (table(AUSCULT_EXT_STATE) as auscult_ext_state?) != nil }

    public func save() throws -> [UInt8] {
        guard let table: auscult_ext_state = table(AUSCULT_EXT_STATE) else { throw TestHostError("no state") }
        var bytes: [UInt8] = []
        // The pointer has to be to the array itself: `&bytes` would be to its first element.
        let status = withUnsafeMutablePointer(to: &bytes) { place in
            table.save(
                instance,
                { context, piece, size in
                    context?.assumingMemoryBound(to: [UInt8].self).pointee
                        .append(contentsOf: UnsafeRawBufferPointer(start: piece, count: Int(size)))
                    return 0
                }, place)
        }
        try check(status, "save()")
        return bytes
    }

    public func merge(_ bytes: [UInt8]) throws {
        guard let table: auscult_ext_state = table(AUSCULT_EXT_STATE) else { throw TestHostError("no state") }
        try check(table.merge(instance, bytes, UInt64(bytes.count)), "merge()")
    }

    public func destroy() {
        instance?.pointee.destroy(instance)
        instance = nil
    }

    private func table<Table>(_ id: String) -> Table? {
        instance?.pointee.get_extension(instance, id)?.load(as: Table.self)
    }

    private func check(_ status: auscult_status?, _ what: String) throws {
        guard let status else { throw TestHostError("\(what) after destroy()") }
        let message = text(instance?.pointee.last_error(instance))
        guard status != 0 else {
            guard message.isEmpty else { throw TestHostError("\(what) went well and left \"\(message)\"") }
            return
        }
        throw TestHostError(message, status: status)
    }
}

extension TestInstance {
    /// One run over `clips`: activate, process each, finish.
    public func run(_ clips: [TestClip], _ run: TestRun = TestRun()) throws {
        try activate(run)
        for clip in clips { try process(clip) }
        try finish()
    }
}

private func text(_ bytes: [CChar]) -> String {
    String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
