import CConfinement
import CDescriptors
import Foundation
import Messages

/// `auscult-plugin-host`: the process that a plugin lives in. Started by the daemon, of no use to anyone else.
public enum HostProgram {
    /// Confines the process, then does what the daemon says until it closes the connection.
    public static func main() -> Never {
        let numbers = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
        var socket: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard numbers.count == 4, CommandLine.arguments.count == 5, let parent = pid_t(exactly: numbers[0]),
            getsockopt(HostChannel.socket, SOL_SOCKET, SO_TYPE, &socket, &size) == 0
        else {
            FileHandle.standardError.write(
                Data("auscult-plugin-host is started by auscultd, and hosts one plugin.\n".utf8))
            exit(64)
        }
        let reason = auscult_confine(parent, numbers[1], numbers[2], numbers[3])
        guard reason == 0 else {
            FileHandle.standardError.write(Data("it cannot be confined: \(String(cString: strerror(reason)))\n".utf8))
            exit(78)
        }
        // From here on this is the child of a keeper, which ends all that the plugin leaves behind.
        let problem = auscult_keep()
        guard problem == 0 else {
            FileHandle.standardError.write(Data("it cannot be kept: \(String(cString: strerror(problem)))\n".utf8))
            exit(78)
        }
        serve(HostChannel())
    }

    private static func serve(_ channel: HostChannel) -> Never {
        let (first, _) = channel.receive()
        guard case .load(let load)? = first.call else { _exit(72) }
        let library: PluginLibrary
        do {
            try HostConfinement.apply(load.confinement ?? HostV1.Confinement())
            library = try PluginLibrary(load)
        } catch {
            channel.done(0, HostV1.Done(status: Status.failed, error: "\(error)"))
            // Nothing more is asked of a library that is not one.
            _ = channel.receive()
            _exit(0)
        }
        channel.done(0, HostV1.Done(description: library.description, needs: library.needs))
        let budget = ResultBudget(load)
        var instances: [UInt32: PluginInstance] = [:]
        // What windows come in, once it has come.
        var windows: MappedMemory?
        while true {
            let (message, memory) = channel.receive()
            let number = message.instance
            let done: HostV1.Done
            switch (message.call, instances[number]) {
            case (.create(let call)?, nil):
                done = create(library, number, call, channel, budget, &instances)
            case (.activate(let call)?, let instance?): done = instance.activate(call)
            case (.process(let call)?, let instance?):
                if let memory, memory.isKept { windows = memory }
                done = instance.process(call, memory ?? (call.memory > 0 ? windows : nil))
            case (.finish?, let instance?): done = instance.finish()
            case (.save?, let instance?): done = instance.save()
            case (.merge?, let instance?): done = instance.merge(memory)
            case (.destroy?, let instance?):
                instance.destroy()
                instances[number] = nil
                done = HostV1.Done()
            case (.leave?, _):
                library.entry.pointee.deinit?()
                fflush(nil)
                // Not exit(): what the plugin registered to run at the end could take as long as it likes.
                _exit(0)
            default: _exit(72)
            }
            channel.done(number, done)
        }
    }

    private static func create(
        _ library: PluginLibrary, _ number: UInt32, _ call: HostV1.Create, _ channel: HostChannel,
        _ budget: ResultBudget, _ instances: inout [UInt32: PluginInstance]
    ) -> HostV1.Done {
        do {
            let host = InstanceHost(number, channel, library.description.outputs, budget)
            let instance = try PluginInstance(library, call.arguments, host)
            instances[number] = instance
            return HostV1.Done(needs: instance.needs)
        } catch let refusal as InstanceRefusal {
            return HostV1.Done(
                status: refusal.status,
                error: refusal.reason.isEmpty ? Status.name(refusal.status) : refusal.reason)
        } catch {
            return HostV1.Done(status: Status.failed, error: "\(error)")
        }
    }
}

extension HostChannel {
    fileprivate func done(_ instance: UInt32, _ done: HostV1.Done) {
        // What is in stdio's buffers belongs to this call's log.
        fflush(nil)
        send(HostV1.FromPlugin(instance: instance, message: .done(done)))
    }
}
