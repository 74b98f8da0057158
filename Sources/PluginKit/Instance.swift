import CAuscultPlugin

/// One instance, without its type: what C's pointer leads to. Used by the plugin thread alone.
class Instance {
    let host: Host
    private let memory = CMemory()
    private var message: UnsafeMutablePointer<CChar>
    private(set) var stateTable: UnsafePointer<auscult_ext_state>?
    private var needsTable: UnsafePointer<auscult_ext_needs>?
    private var cNeeds: UnsafePointer<auscult_needs>?

    init(host: Host) {
        self.host = host
        message = copy("")
    }

    deinit { message.deallocate() }

    // What the typed instance below does.
    var needs: Needs { Needs() }
    var isMonoid: Bool { false }
    func activate(_ run: Run) throws {}
    func process(_ clip: Clip) throws {}
    func finish() throws {}
    func save() throws -> [UInt8] { [] }
    func merge(_ bytes: [UInt8]) throws {}

    /// The struct that C calls, which owns this object until `destroy`.
    func handOver() -> UnsafePointer<auscult_instance> {
        needsTable = UnsafePointer(
            memory.value(
                auscult_ext_needs(
                    struct_size: UInt32(MemoryLayout<auscult_ext_needs>.size), needs: { instance($0)?.wanted() })))
        if isMonoid {
            stateTable = UnsafePointer(
                memory.value(
                    auscult_ext_state(
                        struct_size: UInt32(MemoryLayout<auscult_ext_state>.size),
                        save: { own, sink, context in attempt(own) { try $0.save(to: sink, context) } },
                        merge: { own, bytes, size in attempt(own) { try $0.merge(bytes, size) } })))
        }
        // The object lives as long as this struct, which holds it; both go in destroy().
        let made = UnsafeMutablePointer<auscult_instance>.allocate(capacity: 1)
        made.initialize(
            to: auscult_instance(
                struct_size: UInt32(MemoryLayout<auscult_instance>.size),
                context: Unmanaged.passRetained(self).toOpaque(),
                activate: { own, run in
                    attempt(own) { try $0.activate(Run(given(run, "run").pointee)) }
                },
                process: { own, clip in
                    attempt(own) { try $0.process(Clip(given(clip, "clip").pointee)) }
                },
                finish: { own in attempt(own) { try $0.finish() } },
                destroy: { own in
                    guard let own, let context = own.pointee.context else { return }
                    Unmanaged<Instance>.fromOpaque(context).release()
                    UnsafeMutablePointer(mutating: own).deallocate()
                },
                get_extension: { own, id in instance(own)?.table(text(id)) },
                last_error: { own in instance(own).map { UnsafePointer($0.message) } }))
        return UnsafePointer(made)
    }

    private func wanted() -> UnsafePointer<auscult_needs> {
        if let cNeeds { return cNeeds }
        let made = UnsafePointer(memory.value(memory.needs(needs)))
        cNeeds = made
        return made
    }

    private func table(_ id: String) -> UnsafeRawPointer? {
        switch id {
        case AUSCULT_EXT_NEEDS: needsTable.map { UnsafeRawPointer($0) }
        case AUSCULT_EXT_STATE: stateTable.map { UnsafeRawPointer($0) }
        default: nil
        }
    }

    private func save(to sink: auscult_byte_sink?, _ context: UnsafeMutableRawPointer?) throws {
        guard let sink else { throw PluginError(.invalidArgument, "save() was called without a place for the bytes") }
        let status = try save().withUnsafeBytes { sink(context, $0.baseAddress, UInt64($0.count)) }
        guard status == Status.ok else {
            throw PluginError(.init(rawValue: status), "the host did not take the saved state (status \(status))")
        }
    }

    private func merge(_ bytes: UnsafeRawPointer?, _ size: UInt64) throws {
        guard let count = Int(exactly: size), bytes != nil || count == 0 else {
            throw PluginError(.invalidArgument, "merge() was called without the bytes of a state")
        }
        try merge(Array(UnsafeRawBufferPointer(start: bytes, count: count)))
    }

    fileprivate func note(_ text: String) {
        message.deallocate()
        message = copy(text)
    }
}

/// An instance of a plugin's type.
final class PluginInstance<Plugin: AnalysisPlugin>: Instance {
    private var plugin: Plugin

    init(_ plugin: Plugin, host: Host) {
        self.plugin = plugin
        super.init(host: host)
    }

    override var needs: Needs { plugin.needs }
    override var isMonoid: Bool { plugin is any MonoidPlugin }
    override func activate(_ run: Run) throws { try plugin.activate(run) }
    override func process(_ clip: Clip) throws { try plugin.process(clip, Results(host: host)) }
    override func finish() throws { try plugin.finish(Results(host: host)) }

    override func save() throws -> [UInt8] {
        guard let monoid = plugin as? any MonoidPlugin else { return try super.save() }
        return try monoid.save()
    }

    override func merge(_ bytes: [UInt8]) throws {
        guard var monoid = plugin as? any MonoidPlugin else { return }
        try monoid.merge(bytes)
        if let merged = monoid as? Plugin { plugin = merged }
    }
}

private func instance(_ own: UnsafePointer<auscult_instance>?) -> Instance? {
    guard let context = own?.pointee.context else { return nil }
    return Unmanaged<Instance>.fromOpaque(context).takeUnretainedValue()
}

/// Nothing that is thrown crosses the wall: it becomes a status, and the sentence that `last_error` gives.
private func attempt(_ own: UnsafePointer<auscult_instance>?, _ body: (Instance) throws -> Void) -> auscult_status {
    guard let instance = instance(own) else { return Status.invalidArgument }
    do {
        try body(instance)
        instance.note("")
        return Status.ok
    } catch {
        let (status, message) = describe(error)
        instance.note(message)
        // An error that says OK would be lost.
        return status == Status.ok ? Status.failed : status
    }
}

private func given<Value>(_ pointer: UnsafePointer<Value>?, _ what: String) throws -> UnsafePointer<Value> {
    guard let pointer else { throw PluginError(.invalidArgument, "the host gave no \(what)") }
    return pointer
}

/// A C string of its own, to be deallocated.
private func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
    let bytes = text.utf8.filter { $0 != 0 }
    let made = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
    for (index, byte) in bytes.enumerated() { made[index] = CChar(bitPattern: byte) }
    made[bytes.count] = 0
    return made
}
