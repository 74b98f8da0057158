import Daemon
import Files
import Foundation
import TestSupport
import Testing

@Suite("Socket activation") struct SocketActivationTests {
    let place: SocketPlace
    init() throws {
        place = try SocketPlace()
        try place.makeFolder()
    }

    private func environment(_ count: String, names: String? = nil, pid: String = "\(getpid())") -> [String: String] {
        var environment = ["LISTEN_PID": pid, "LISTEN_FDS": count]
        environment["LISTEN_FDNAMES"] = names
        return environment
    }

    @Test("a listening socket is taken over with its name and path, closed on exec and non-blocking")
    func taken() throws {
        let socket = try boundSocket(place.socket, listening: true)
        #expect(fcntl(socket.number, F_SETFD, 0) == 0)
        let taken = try SocketActivation.take(environment: environment("1", names: "auscult"), first: socket.number)
        #expect(
            taken == [SocketActivation.Socket(descriptor: socket.number, name: "auscult", path: place.socket.path)])
        #expect(fcntl(socket.number, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(socket.number, F_GETFL) & O_NONBLOCK != 0)
    }

    @Test("without names, or with an empty one, a socket is unknown", arguments: [nil, "", ":x"])
    func unnamed(names: String?) throws {
        let socket = try boundSocket(place.socket, listening: true)
        let taken = try SocketActivation.take(environment: environment("1", names: names), first: socket.number)
        #expect(taken.map(\.name) == ["unknown"])
    }

    @Test("what is meant for another process, or not there, is none")
    func notOurs() throws {
        #expect(try SocketActivation.take(environment: environment("1", pid: "1")) == [])
        #expect(try SocketActivation.take(environment: [:]) == [])
        #expect(try SocketActivation.take(environment: ["LISTEN_FDS": "1"]) == [])
        #expect(try SocketActivation.take(environment: environment("0")) == [])
    }

    @Test("variables that make no sense are refused", arguments: ["-1", "65", "x", "", "99999999999999999999"])
    func nonsense(number: String) {
        #expect(throws: ServiceError.self) { try SocketActivation.take(environment: environment(number)) }
        #expect(throws: ServiceError.self) {
            try SocketActivation.take(environment: environment("1", pid: number + "x"))
        }
    }

    @Test("what does not listen, is no stream, no Unix socket, no socket or not open is refused")
    func wrongKind() throws {
        func refuse(_ descriptor: FileDescriptor, _ reason: String) {
            let error = #expect(throws: ServiceError.self) {
                try SocketActivation.take(environment: environment("1"), first: descriptor.number)
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        }
        refuse(try boundSocket(place.socket), "does not listen")
        refuse(try boundSocket(kind: SOCK_DGRAM), "not a stream socket")
        let inet = FileDescriptor(owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0), path: "inet")
        refuse(inet, "not a Unix socket")
        refuse(try FileDescriptor("/dev/null", O_RDONLY), "is no socket")
        let error = #expect(throws: ServiceError.self) {
            try SocketActivation.take(environment: environment("1"), first: 60000)
        }
        #expect(error?.message.contains("is no socket") == true)
    }

    @Test("the variables are gone afterwards, so that no child takes them for its own")
    func unset() async {
        await #expect(processExitsWith: .success) {
            let names: [String] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]
            for name in names { _ = setenv(name, "1", 1) }
            let taken = try SocketActivation.take()
            let left = names.filter { (name: String) in getenv(name) != nil }
            exit(taken.isEmpty && left.isEmpty ? 0 : 1)
        }
    }
}

@Suite("Notifying the service manager") struct SystemdNotifierTests {
    let place: SocketPlace
    init() throws {
        place = try SocketPlace()
        try place.makeFolder()
    }

    private func receive(_ socket: FileDescriptor) -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(socket.number, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    @Test("every state is one datagram with its fields on lines")
    func states() throws {
        let manager = try boundSocket(place.socket, kind: SOCK_DGRAM)
        let notifier = try SystemdNotifier(environment: ["NOTIFY_SOCKET": place.socket.path])
        try notifier.ready(status: "serving 1 model")
        #expect(receive(manager) == "READY=1\nSTATUS=serving 1 model")
        try notifier.stopping(status: "2 calls\nleft")
        #expect(receive(manager) == "STOPPING=1\nSTATUS=2 calls left")
        try notifier.watchdog()
        #expect(receive(manager) == "WATCHDOG=1")
    }

    @Test("a name with @ is one of the abstract namespace")
    func abstract() throws {
        let name = "auscult-test-\(UUID().uuidString)"
        let manager = try boundSocket(kind: SOCK_DGRAM)
        #expect(withUnixAddress([0] + name.utf8) { bind(manager.number, $0, $1) } == 0)
        try SystemdNotifier(environment: ["NOTIFY_SOCKET": "@" + name]).watchdog()
        #expect(receive(manager) == "WATCHDOG=1")
    }

    @Test("without a manager nothing is said and nothing fails")
    func none() async throws {
        let notifier = try SystemdNotifier(environment: [:])
        try notifier.ready(status: "x")
        try await notifier.keepAlive()
        #expect(notifier.watchdogInterval == nil)
    }

    @Test("a manager that is gone is an error that names it")
    func gone() throws {
        let notifier = try SystemdNotifier(environment: ["NOTIFY_SOCKET": place.socket.path])
        let error = #expect(throws: ServiceError.self) { try notifier.ready(status: "x") }
        #expect(error?.message.contains(place.socket.path) == true)
    }

    @Test("a variable that makes no sense is refused", arguments: ["x", "@", "/", "vsock:2:1"])
    func nonsense(address: String) {
        #expect(throws: ServiceError.self) { try SystemdNotifier(environment: ["NOTIFY_SOCKET": address]) }
        #expect(throws: ServiceError.self) { try SystemdNotifier(environment: ["WATCHDOG_USEC": address]) }
    }

    @Test("the daemon speaks twice in the time that the watchdog gives, if it is the one that is watched")
    func watchdog() throws {
        let usec = ["WATCHDOG_USEC": "30000000"]
        #expect(try SystemdNotifier(environment: usec).watchdogInterval == .seconds(15))
        let ours = usec.merging(["WATCHDOG_PID": "\(getpid())"]) { $1 }
        #expect(try SystemdNotifier(environment: ours).watchdogInterval == .seconds(15))
        #expect(try SystemdNotifier(environment: usec.merging(["WATCHDOG_PID": "1"]) { $1 }).watchdogInterval == nil)
    }

    @Test("a daemon that is watched says that it lives until it is cancelled")
    func keepAlive() async throws {
        let manager = try boundSocket(place.socket, kind: SOCK_DGRAM)
        let notifier = try SystemdNotifier(
            environment: ["NOTIFY_SOCKET": place.socket.path, "WATCHDOG_USEC": "2000"])
        let task = Task { try await notifier.keepAlive() }
        for _ in 0..<3 {
            var said = receive(manager)
            while said.isEmpty {
                try await Task.sleep(for: .milliseconds(1))
                said = receive(manager)
            }
            #expect(said == "WATCHDOG=1")
        }
        task.cancel()
        _ = await task.result
    }
}

@Suite("Peers") struct PeerTests {
    @Test("a peer is who the kernel says")
    func credentials() throws {
        var pair: [Int32] = [0, 0]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        defer { for descriptor in pair { close(descriptor) } }
        #expect(
            try PeerCredentials(of: pair[0]) == PeerCredentials(pid: getpid(), uid: geteuid(), gid: getegid()))
    }

    @Test("what is no socket has no peer")
    func noSocket() throws {
        let file = try FileDescriptor("/dev/null", O_RDONLY)
        let error = #expect(throws: ServiceError.self) { try PeerCredentials(of: file.number) }
        #expect(error?.code == .inputOutput)
    }

    @Test("the daemon's user, root and the users named may connect, and nobody else")
    func policy() {
        let policy = PeerPolicy(owner: 1000, alsoAllowing: [7])
        let allowed = [0, 7, 8, 999, 1000, 1001, UInt32.max].filter {
            policy.allows(PeerCredentials(pid: 1, uid: $0, gid: 0))
        }
        #expect(allowed == [0, 7, 1000])
    }
}
