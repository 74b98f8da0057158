import CAuscultPlugin
import Foundation
import Glibc
import PluginKit

/// What went wrong between the test host and a plugin.
public struct TestHostError: Error, CustomStringConvertible {
    public let status: Int32
    public let message: String
    public var description: String { "status \(status): \(message)" }

    init(_ message: String, status: Int32 = -1) {
        self.status = status
        self.message = message
    }
}

/// A bundle, loaded into this process through the C interface alone: for tests of plugins, one thread at a time.
public final class TestPlugin {
    let entry: auscult_entry
    let factory: auscult_factory
    public let descriptor: auscult_descriptor
    public let manifest: [String: String]

    /// - Parameter folder: with manifest.json and the library that it names.
    public init(bundle folder: String) throws {
        let file = try Data(contentsOf: URL(fileURLWithPath: folder + "/manifest.json"))
        let manifest = (try JSONSerialization.jsonObject(with: file) as? [String: Any] ?? [:])
            .compactMapValues { $0 as? String }
        guard let id = manifest["id"], let library = manifest["library"] else {
            throw TestHostError("the manifest in \(folder) has no id or no library")
        }
        self.manifest = manifest
        guard let handle = dlopen(folder + "/" + library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE),
            let symbol = dlsym(handle, "auscult_plugin")
        else { throw TestHostError(String(cString: dlerror())) }
        entry = symbol.load(as: auscult_entry.self)
        guard entry.magic == 0x4353_5541, entry.struct_size >= MemoryLayout<auscult_entry>.size, entry.abi_major == 1,
            entry.abi_minor == 0
        else { throw TestHostError("\(library) has an entry of another version") }
        let status = entry.`init`(folder)
        guard status == 0, let found = entry.get_factory(AUSCULT_FACTORY) else {
            throw TestHostError("init() of \(library)", status: status)
        }
        let factory = found.load(as: auscult_factory.self)
        self.factory = factory
        let described = (0..<factory.count()).compactMap { factory.describe($0)?.pointee }
        guard let own = described.first(where: { text($0.id) == id }) else {
            throw TestHostError("\(library) has no plugin \(id); there is \(described.map { text($0.id) })")
        }
        descriptor = own
    }

    public var id: String { text(descriptor.id) }
    public var version: String { text(descriptor.version) }
    public var hooks: [String] { elements(descriptor.needs.hooks, descriptor.needs.hook_count).map { text($0) } }
    public var flags: UInt32 { descriptor.needs.flags }
    /// Declared outputs: id and kind.
    public var outputs: [String: Int32] {
        Dictionary(
            elements(descriptor.outputs, descriptor.output_count).map { (text($0.id), $0.kind) },
            uniquingKeysWith: { first, _ in first })
    }
    public var parameters: [String: String] {
        Dictionary(
            elements(descriptor.parameters, descriptor.parameter_count).map { (text($0.id), text($0.default_value)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// A new instance, with a host of its own.
    public func instance(
        _ arguments: [String: String] = [:], services: TestServices = TestServices()
    ) throws -> TestInstance { try TestInstance(self, arguments, services) }
}
