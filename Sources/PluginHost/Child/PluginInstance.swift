import CAuscultPlugin
import Foundation
import Messages

/// One instance of the plugin, and the calls of its functions. The plugin thread alone uses it.
final class PluginInstance {
    let host: InstanceHost
    private let c: UnsafePointer<auscult_instance>
    let needs: HostV1.Needs
    private let state: UnsafePointer<auscult_ext_state>?

    /// - Throws: ``InstanceRefusal`` where the plugin makes none.
    init(_ library: PluginLibrary, _ arguments: [V1.PluginArgument], _ host: InstanceHost) throws {
        self.host = host
        let memory = CallMemory()
        defer { withExtendedLifetime(memory) {} }
        let given = memory.array(
            arguments.map { auscult_argument(id: memory.text($0.id), value: memory.text($0.value)) })
        var made: UnsafePointer<auscult_instance>?
        var reason = [CChar](repeating: 0, count: 1024)
        let id = library.description.listing?.id ?? ""
        guard let create = library.factory.pointee.create else {
            throw InstanceRefusal(Status.failed, "its factory lacks create")
        }
        let status = create(host.c, id, given, UInt32(arguments.count), &made, &reason, UInt32(reason.count))
        guard status == Status.ok else {
            reason[reason.count - 1] = 0
            let bytes = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw InstanceRefusal(status, String(decoding: bytes, as: UTF8.self))
        }
        guard let made else {
            throw InstanceRefusal(Status.failed, "its create() says AUSCULT_OK and gives no instance")
        }
        c = made
        let size = MemoryLayout<auscult_instance>.size
        let i = made.pointee
        guard i.struct_size >= size, i.activate != nil, i.process != nil, i.finish != nil, i.destroy != nil,
            let getExtension = i.get_extension, i.last_error != nil
        else {
            throw InstanceRefusal(
                Status.failed,
                "its instance has the struct_size \(i.struct_size), at least \(size) was expected, or lacks a function")
        }
        var needs = library.needs
        if let found = getExtension(made, AUSCULT_EXT_NEEDS)?.assumingMemoryBound(to: auscult_ext_needs.self) {
            guard found.pointee.struct_size >= MemoryLayout<auscult_ext_needs>.size, let ask = found.pointee.needs
            else {
                throw InstanceRefusal(Status.failed, "its \(AUSCULT_EXT_NEEDS) lacks needs")
            }
            guard let asked = ask(made) else { throw InstanceRefusal(Status.failed, "its needs are NULL") }
            do { needs = try CReading.needs(asked) } catch { throw InstanceRefusal(Status.failed, "\(error)") }
            if let problem = DescriptionCheck.needsProblem(needs.needs ?? V1.PluginNeeds()) {
                throw InstanceRefusal(Status.failed, problem)
            }
        }
        state = getExtension(made, AUSCULT_EXT_STATE)?.assumingMemoryBound(to: auscult_ext_state.self)
        if let state {
            guard state.pointee.struct_size >= MemoryLayout<auscult_ext_state>.size, state.pointee.save != nil,
                state.pointee.merge != nil
            else { throw InstanceRefusal(Status.failed, "its \(AUSCULT_EXT_STATE) lacks save or merge") }
            needs.hasState = true
        }
        self.needs = needs
    }

    func activate(_ call: HostV1.Activate) -> HostV1.Done {
        let memory = CallMemory()
        defer { withExtendedLifetime(memory) {} }
        var run = memory.run(call)
        return done(c.pointee.activate?(c, &run))
    }

    func process(_ call: HostV1.Process, _ mapped: MappedMemory?) -> HostV1.Done {
        let memory = CallMemory()
        defer { withExtendedLifetime((memory, mapped)) {} }
        var clip = memory.clip(call, mapped)
        return done(c.pointee.process?(c, &clip))
    }

    func finish() -> HostV1.Done { done(c.pointee.finish?(c)) }

    func save() -> HostV1.Done {
        guard let save = state?.pointee.save else {
            return HostV1.Done(status: Status.unsupported, error: "it has no state")
        }
        return done(
            save(
                c,
                { context, bytes, size in
                    guard let context else { return Status.failed }
                    let host = Unmanaged<InstanceHost>.fromOpaque(context).takeUnretainedValue()
                    guard size > 0 else { return Status.ok }
                    guard let bytes, size <= UInt64(Int.max), host.isOnPluginThread else {
                        return host.refuse(
                            Status.invalidArgument, "\(size) bytes of a state at NULL, or on another thread")
                    }
                    var rest = UnsafeRawBufferPointer(start: bytes, count: Int(size))
                    while !rest.isEmpty {
                        let piece = HostV1.StateBytes(bytes: Array(rest.prefix(1 << 20)))
                        host.channel.send(HostV1.FromPlugin(instance: host.number, message: .state(piece)))
                        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(1 << 20))
                    }
                    return Status.ok
                }, Unmanaged.passUnretained(host).toOpaque()))
    }

    func merge(_ mapped: MappedMemory?) -> HostV1.Done {
        guard let merge = state?.pointee.merge else {
            return HostV1.Done(status: Status.unsupported, error: "it has no state")
        }
        defer { withExtendedLifetime(mapped) {} }
        return done(merge(c, mapped?.base, UInt64(mapped?.size ?? 0)))
    }

    func destroy() { c.pointee.destroy?(c) }

    private func done(_ status: auscult_status?) -> HostV1.Done {
        guard let status else { return HostV1.Done(status: Status.failed, error: "it lacks the function") }
        guard status != Status.ok else { return HostV1.Done(status: Status.ok) }
        let reason = c.pointee.last_error?(c).map {
            String(decoding: UnsafeRawBufferPointer(start: $0, count: strnlen($0, 4096)), as: UTF8.self)
        }
        return HostV1.Done(
            status: status, error: reason.flatMap { $0.isEmpty ? nil : $0 } ?? Status.name(status))
    }
}

/// A plugin that makes no instance.
struct InstanceRefusal: Error {
    let status: auscult_status
    let reason: String
    init(_ status: auscult_status, _ reason: String) {
        self.status = status
        self.reason = reason
    }
}
