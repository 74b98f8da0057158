import CAuscultPlugin
import Foundation
import Messages

/// A plugin's library, loaded for good: its entry and its factory, checked.
struct PluginLibrary {
    /// AUSCULT_MAGIC, a cast that Swift does not import.
    private static let magic: UInt32 = 0x4353_5541

    let entry: UnsafePointer<auscult_entry>
    let factory: UnsafePointer<auscult_factory>
    let description: V1.PluginDescription
    let needs: HostV1.Needs

    /// - Throws: ``PluginFault`` with what the interface asks for and what was there.
    init(_ load: HostV1.Load) throws {
        guard let handle = dlopen(load.library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            throw PluginFault(
                "the library cannot be loaded: \(dlerror().map { String(cString: $0) } ?? "no reason given")")
        }
        guard let symbol = dlsym(handle, "auscult_plugin") else {
            throw PluginFault("the library exports no symbol auscult_plugin")
        }
        entry = UnsafeRawPointer(symbol).assumingMemoryBound(to: auscult_entry.self)
        // The magic number first: without it, nothing behind it is what it seems.
        guard entry.pointee.magic == Self.magic else {
            throw PluginFault(
                "its entry begins with \(Self.hex(entry.pointee.magic)), the magic number is \(Self.hex(Self.magic))")
        }
        try CReading.size(entry.pointee.struct_size, of: auscult_entry.self, "its entry")
        let e = entry.pointee
        guard e.abi_major == UInt16(AUSCULT_ABI_MAJOR), e.abi_minor <= UInt16(AUSCULT_ABI_MINOR) else {
            throw PluginFault(
                "it is made for version \(e.abi_major).\(e.abi_minor) of the interface, this host has "
                    + "\(AUSCULT_ABI_MAJOR).\(AUSCULT_ABI_MINOR)")
        }
        guard let start = e.`init`, let getFactory = e.get_factory, e.deinit != nil else {
            throw PluginFault("its entry lacks init, deinit or get_factory")
        }
        let status = start(load.folder)
        guard status == Status.ok else { throw PluginFault("its init() returned \(Status.name(status))") }
        guard let found = getFactory(AUSCULT_FACTORY) else { throw PluginFault("it has no \(AUSCULT_FACTORY)") }
        factory = found.assumingMemoryBound(to: auscult_factory.self)
        try CReading.size(factory.pointee.struct_size, of: auscult_factory.self, "its factory")
        guard let count = factory.pointee.count, let describe = factory.pointee.describe, factory.pointee.create != nil
        else { throw PluginFault("its factory lacks count, describe or create") }
        let plugins = count()
        guard (1...1024).contains(plugins) else { throw PluginFault("it says that it has \(plugins) plugins") }
        var ids: [String] = []
        var chosen: HostV1.Done?
        for index in 0..<plugins {
            guard let descriptor = describe(index) else { throw PluginFault("its plugin \(index) is NULL") }
            let done = try CReading.description(descriptor)
            let id = done.description?.listing?.id ?? ""
            ids.append(id)
            if id == load.pluginId { chosen = done }
        }
        guard let description = chosen?.description, let needs = chosen?.needs else {
            throw PluginFault(
                "the library has the plugins \(ids.map { DescriptionCheck.shown($0) }.joined(separator: ", ")), "
                    + "the manifest says \(load.pluginId)")
        }
        if let problem = DescriptionCheck.problem(in: description, id: load.pluginId, version: load.version) {
            throw PluginFault(problem)
        }
        self.description = description
        self.needs = needs
    }

    private static func hex(_ number: UInt32) -> String { "0x" + String(number, radix: 16) }
}
