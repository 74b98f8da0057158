import CAuscultPlugin
import CDescriptors
import Foundation
import Messages
import Synchronization

/// The plugin's end of the wall. Any thread may send; the plugin thread alone receives.
///
/// Whatever goes wrong here cannot be reported: the process ends, and the daemon sees how.
final class HostChannel: Sendable {
    /// Where the daemon has put its descriptors.
    static let socket: Int32 = 3
    static let cancelled: Int32 = 4

    /// A frame is written whole before another begins.
    private let sending = Mutex(())

    func send(_ message: HostV1.FromPlugin) {
        guard let frame = try? Frames.encode(message, longest: Int(UInt32.max)) else { _exit(70) }
        sending.withLock { _ in
            var rest = frame[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { auscult_send(Self.socket, $0.baseAddress, $0.count, -1) }
                // The daemon is gone, or the plugin has closed the socket.
                guard count > 0 else { _exit(71) }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Waits for the next message, with the memory that came with it.
    func receive() -> (call: HostV1.ToPlugin, memory: MappedMemory?) {
        var descriptor: Int32 = -1
        let length = read(4, &descriptor)
        let size = length.withUnsafeBytes(Frames.length)
        guard size <= Frames.longestToPlugin else { _exit(72) }
        var none: Int32 = -1
        let bytes = read(size, &none)
        guard let call = try? HostV1.ToPlugin(serialized: bytes) else { _exit(72) }
        let memory = descriptor >= 0 ? MappedMemory(taking: descriptor) : nil
        return (call, memory)
    }

    /// Whether the run is to end. From any thread.
    var isCancelled: Bool {
        var descriptor = pollfd(fd: Self.cancelled, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, 0) > 0
    }

    private func read(_ count: Int, _ descriptor: inout Int32) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                var came: Int32 = -1
                let received = auscult_receive(
                    Self.socket, buffer.baseAddress.map { $0 + filled }, count - filled, &came)
                // The daemon has closed its end: there is nothing left to do.
                guard received > 0 else { _exit(received == 0 ? 0 : 71) }
                if came >= 0 { descriptor = came }
                filled += received
            }
        }
    }
}

/// Memory that the daemon sent, mapped to be read, until the value goes.
final class MappedMemory {
    let base: UnsafeRawPointer
    let size: Int
    /// Whether the daemon fills it again for later calls; else it is this call's alone, and sealed against all writing.
    let isKept: Bool

    init(taking descriptor: Int32) {
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { _exit(73) }
        size = Int(status.st_size)
        isKept = auscult_memory_is_sealed(descriptor) != 1
        guard size > 0 else {
            // Something that a pointer to no bytes can point at.
            base = UnsafeRawPointer(UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64))
            return
        }
        guard let place = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), place != MAP_FAILED else {
            FileHandle.standardError.write(Data("the tensors of \(size) bytes do not fit into its memory\n".utf8))
            _exit(73)
        }
        base = UnsafeRawPointer(place)
    }

    deinit {
        if size > 0 { munmap(UnsafeMutableRawPointer(mutating: base), size) } else { base.deallocate() }
    }

    /// `count` bytes at `offset`. The daemon is believed, but not when it would read past the end.
    func place(_ offset: UInt64, _ count: Int) -> UnsafeRawPointer {
        guard offset <= UInt64(size), count <= size - Int(offset) else { _exit(72) }
        return base + Int(offset)
    }
}
