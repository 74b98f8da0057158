import CDescriptors
import CaptureChannel
import Files
import Foundation
import PluginHost
import Synchronization

/// The helper that captures sound, while it runs. One thread reads; it ends when this is let go.
final class CaptureProcess {
    /// What came within some time.
    enum Reading {
        case records([CaptureRecord])
        /// Nothing, for as long as was waited.
        case nothing
        /// It has ended, or says what makes no sense.
        case ended
    }

    private let id: pid_t
    private let socket: FileDescriptor
    private var records = CaptureRecords()

    /// - Parameter arguments: of ``Capture/CaptureProgram``.
    /// - Throws: ``ServiceError`` (`unavailable`) where it cannot be started.
    init(_ arguments: [String]) throws {
        let program = try Self.path()
        var sockets: [Int32] = [-1, -1]
        guard auscult_socket_pair(&sockets) == 0 else { throw Self.failure(program, systemReason()) }
        socket = FileDescriptor(owning: sockets[0], path: "the socket of \(program)")
        let theirs = FileDescriptor(owning: sockets[1], path: "the socket of \(program)")
        // What libraries of sound print, of devices that are not there, helps nobody.
        let nowhere = try FileDescriptor("/dev/null", O_RDWR)
        let outcome = Mutex<(reason: Int32, id: pid_t)>((0, 0))
        let environment = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }
        try ProcessStarter.shared.run {
            outcome.withLock { outcome in
                withCStrings([program] + arguments) { arguments in
                    withCStrings(environment) { environment in
                        outcome.reason = auscult_spawn(
                            program, arguments, environment, nowhere.number, nowhere.number, theirs.number,
                            nowhere.number, &outcome.id)
                    }
                }
            }
        }
        let (reason, id) = outcome.withLock { $0 }
        guard reason == 0 else { throw Self.failure(program, systemReason(reason)) }
        self.id = id
    }

    deinit {
        // Before it is reaped, nobody else can have its number.
        kill(id, SIGKILL)
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
    }

    /// Waits for what it says, for `milliseconds` at most.
    func read(milliseconds: Int32) -> Reading {
        var waiting = pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0)
        let ready = poll(&waiting, 1, milliseconds)
        guard ready > 0 else { return .nothing }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(socket.number, &bytes, bytes.count, 0)
        if count < 0, errno == EINTR || errno == EAGAIN { return .nothing }
        guard count > 0, let records = records.append(bytes.prefix(count)) else { return .ended }
        return .records(records)
    }

    /// Where the helper lies: `$AUSCULT_CAPTURE`, else beside the running program, else in `<prefix>/libexec/auscult`.
    private static func path() throws -> String {
        let named = ProcessInfo.processInfo.environment["AUSCULT_CAPTURE"] ?? ""
        guard named.isEmpty else { return named }
        let folder = HostExecutable.programFolder()
        let places = ["\(folder)/auscult-capture", "\(folder)/../libexec/auscult/auscult-capture"]
        for place in places where access(place, X_OK) == 0 { return place }
        throw ServiceError(
            .unavailable,
            "the program that captures sound is not there: neither \(places.joined(separator: " nor ")), and "
                + "$AUSCULT_CAPTURE names none")
    }

    private static func failure(_ program: String, _ reason: String) -> ServiceError {
        ServiceError(.unavailable, "cannot start \(program): \(reason)")
    }
}
