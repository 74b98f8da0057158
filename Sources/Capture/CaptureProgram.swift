import CaptureChannel
import Foundation

/// The helper that captures sound, `auscult-capture`: a process of its own, since PortAudio may hang or crash when a device goes.
///
///     auscult-capture list              says which inputs there are
///     auscult-capture listen DEVICE     captures until nobody reads
///
/// The daemon reads what it says, ``CaptureRecord``s, from the socket that descriptor 3 is. When the other end closes, it ends.
public enum CaptureProgram {
    public static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        let channel = RecordChannel(descriptor: 3)
        guard channel.isOpen else {
            FileHandle.standardError.write(
                Data("auscult-capture is started by auscultd, which reads from its descriptor 3\n".utf8))
            exit(64)
        }
        channel.endWithReader()
        do {
            switch (arguments.first, arguments.count) {
            case ("list", 1):
                for device in try SoundInputs.all() { channel.say(.device(device)) }
            case ("listen", 2):
                try SoundStream(SoundInputs.named(arguments.last ?? "")).run(channel)
            default: throw CaptureError("the arguments are 'list' or 'listen DEVICE'")
            }
        } catch {
            channel.say(.failed("\(error)"))
            exit(1)
        }
        exit(0)
    }
}

/// Why nothing is captured, as a sentence.
struct CaptureError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The socket to the daemon.
struct RecordChannel: Sendable {
    let descriptor: Int32

    var isOpen: Bool { fcntl(descriptor, F_GETFD) >= 0 }

    /// Writes a record, however long that takes; ends the process where nobody reads.
    func say(_ record: CaptureRecord) {
        var rest = record.bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if sent < 0, errno == EINTR { continue }
            guard sent > 0 else { _exit(0) }
            rest = rest.dropFirst(sent)
        }
    }

    /// Ends the process when the other end closes, whatever PortAudio is doing just then.
    func endWithReader() {
        Thread.detachNewThread {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            while poll(&waiting, 1, -1) < 0, errno == EINTR {}
            _exit(0)
        }
    }
}
