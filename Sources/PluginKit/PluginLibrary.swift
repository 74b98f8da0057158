import CAuscultPlugin
import Synchronization

/// The plugins of this library.
public enum PluginLibrary {
    /// Names the plugins that this library has. Called from the library's `auscult_plugin_types`, and nowhere else.
    public static func register(_ plugins: any AnalysisPlugin.Type...) {
        shared.withLock { library in
            library.plugins = plugins.map { type in
                let descriptor = type.descriptor
                return Registered(
                    descriptor: descriptor, c: .init(library.memory.descriptor(descriptor)),
                    make: { try type.instance(arguments: $0, host: $1) })
            }
        }
    }

    /// A plugin and how an instance of it is made.
    fileprivate struct Registered: Sendable {
        let descriptor: PluginDescriptor
        let c: SharedPointer<auscult_descriptor>
        let make: @Sendable (Arguments, Host) throws -> Instance
    }

    /// The plugins, with the memory of what they declare, which stays until the process ends.
    fileprivate struct Library: ~Copyable, Sendable {
        let memory = DeclarationMemory()
        var plugins: [Registered] = []
        var factory: SharedPointer<auscult_factory>?
    }

    fileprivate static let shared = Mutex(Library())

    fileprivate static func plugin(_ index: Int) -> Registered? {
        shared.withLock { $0.plugins.indices.contains(index) ? $0.plugins[index] : nil }
    }

    fileprivate static func plugin(named id: String) -> Registered? {
        shared.withLock { $0.plugins.first { $0.descriptor.id == id } }
    }
}

/// Memory of declarations, which only ever grows.
/// `@unchecked`: it is reached through ``PluginLibrary/shared`` alone, under its lock.
private final class DeclarationMemory: @unchecked Sendable {
    private let memory = CMemory()
    func descriptor(_ descriptor: PluginDescriptor) -> UnsafePointer<auscult_descriptor> {
        memory.descriptor(descriptor)
    }
    func factory(_ factory: auscult_factory) -> UnsafePointer<auscult_factory> { .init(memory.value(factory)) }
}

/// A pointer to a declaration.
/// `@unchecked`: what it points to is written before it is shared, and never changes or goes away.
private struct SharedPointer<Pointee>: @unchecked Sendable {
    let pointer: UnsafePointer<Pointee>
    init(_ pointer: UnsafePointer<Pointee>) { self.pointer = pointer }
}

extension AnalysisPlugin {
    fileprivate static func instance(arguments: Arguments, host: Host) throws -> Instance {
        PluginInstance(try Self(arguments: arguments, host: host), host: host)
    }
}

// MARK: - What the entry symbol calls

@_cdecl("auscult_plugin_kit_init")
func kitInit(_ bundle: UnsafePointer<CChar>?) -> auscult_status {
    PluginLibrary.shared.withLock { $0.plugins.isEmpty ? Status.failed : Status.ok }
}

@_cdecl("auscult_plugin_kit_deinit")
func kitDeinit() {}

@_cdecl("auscult_plugin_kit_get_factory")
func kitGetFactory(_ id: UnsafePointer<CChar>?) -> UnsafeRawPointer? {
    guard text(id) == AUSCULT_FACTORY else { return nil }
    let shared = PluginLibrary.shared.withLock { library in
        let made =
            library.factory
            ?? .init(
                library.memory.factory(
                    auscult_factory(
                        struct_size: UInt32(MemoryLayout<auscult_factory>.size),
                        count: { PluginLibrary.shared.withLock { UInt32($0.plugins.count) } },
                        describe: { PluginLibrary.plugin(Int($0))?.c.pointer },
                        create: { create($0, text($1), elements($2, $3), $4, $5, $6) })))
        library.factory = made
        return made
    }
    return UnsafeRawPointer(shared.pointer)
}

private func create(
    _ host: UnsafePointer<auscult_host>?, _ id: String, _ arguments: UnsafeBufferPointer<auscult_argument>,
    _ instance: UnsafeMutablePointer<UnsafePointer<auscult_instance>?>?, _ error: UnsafeMutablePointer<CChar>?,
    _ capacity: UInt32
) -> auscult_status {
    do {
        guard let host, let instance else { throw PluginError(.invalidArgument, "create() was called without a host") }
        guard let plugin = PluginLibrary.plugin(named: id) else {
            throw PluginError(.notFound, "this library has no plugin \"\(id)\"")
        }
        let given = try Arguments(
            arguments.map { (text($0.id), text($0.value)) }, for: plugin.descriptor.parameters)
        instance.pointee = try plugin.make(given, Host(host)).handOver()
        return Status.ok
    } catch let failure {
        let (status, message) = describe(failure)
        if let error, capacity > 0 {
            let bytes = message.utf8.prefix(Int(capacity) - 1)
            for (index, byte) in bytes.enumerated() { error[index] = CChar(bitPattern: byte) }
            error[bytes.count] = 0
        }
        return status
    }
}

/// The status and the sentence of any error.
func describe(_ error: any Error) -> (status: auscult_status, message: String) {
    if let error = error as? PluginError { return (error.code.rawValue, error.message) }
    return (Status.failed, String(describing: error))
}
