import Daemon
import Files
import Foundation
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    @Suite("The daemon under a service manager and among users", .timeLimit(.minutes(5))) struct SystemTests {
        /// Opens a listening socket as descriptor 3, says so as systemd does, and becomes the program.
        private static let activation = """
            use Socket; use POSIX; BEGIN { $^F = 255 }
            socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die $!;
            bind($s, pack_sockaddr_un($ENV{PLACE})) && listen($s, 8) or die $!;
            if (fileno($s) != 3) { POSIX::dup2(fileno($s), 3); }
            $ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDS} = 1; exec @ARGV or die $!;
            """

        private static let hasPerl = access("/usr/bin/perl", X_OK) == 0

        @Test(
            "a socket that systemd passes is served, and stays when the daemon ends",
            .enabled(if: hasPerl, "needs perl"))
        func activation() async throws {
            let folder = try TemporaryFolder()
            try FileManager.default.createDirectory(atPath: folder("d"), withIntermediateDirectories: true)
            chmod(folder("d"), 0o700)
            let place = folder("d/passed.sock")
            let daemon = try ChildDaemon(
                in: folder, through: ["/usr/bin/perl", "-e", Self.activation], environment: ["PLACE": place])
            try await eventually("it serves; it said \(daemon.log)") {
                let answer = try? await callOnce(at: place, Health.HealthRPC.check, Health.HealthCheckRequest())
                return answer?.status == .serving
            }
            let status = try await callOnce(at: place, V1.DaemonRPC.status, V1.StatusRequest())
            #expect(status.socket == place && status.pid == UInt32(daemon.pid))
            let client = try await WireClient.connect(to: place)
            let memory = V1.TraceRequest(audio: Sound.clip, hooks: ["log_mel"], output: .memory(V1.Empty()))
            #expect(try await Traced(ending: memory, client).isSealed)
            await client.close()
            #expect(!FileManager.default.fileExists(atPath: daemon.socket), "it opened none of its own")
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
            #expect(FileManager.default.fileExists(atPath: place))
        }

        @Test("the service manager is told that it is ready, and that it stops")
        func notification() async throws {
            let folder = try TemporaryFolder()
            let place = try SocketPath(folder("n"), environment: [:])
            let manager = try boundSocket(place, kind: SOCK_DGRAM)
            var patience = timeval(tv_sec: 60, tv_usec: 0)
            setsockopt(manager.number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            let descriptor = manager.number
            @Sendable func datagram() -> [String] {
                var bytes = [UInt8](repeating: 0, count: 4096)
                let count = recv(descriptor, &bytes, bytes.count, 0)
                return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").map(
                    String.init)
            }
            let daemon = try ChildDaemon(in: folder, environment: ["NOTIFY_SOCKET": place.path])
            let ready = try await blocking { datagram() }
            #expect(ready.contains("READY=1") && ready.contains { $0.contains(daemon.socket) }, "\(ready)")
            // Ready means that clients are answered, without another try.
            #expect(
                try await callOnce(at: daemon.socket, Health.HealthRPC.check, Health.HealthCheckRequest()).status
                    == .serving)
            daemon.send(SIGTERM)
            let stopping = try await blocking { datagram() }
            #expect(stopping.contains("STOPPING=1"))
            #expect(try await daemon.ended() == 0)
        }

        /// Connects as another user, sends the bytes of a request, and prints the answer's in hexadecimal.
        private static let stranger = """
            use Socket; use POSIX; POSIX::setgid(65534); POSIX::setuid(65534);
            socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die $!;
            connect($s, pack_sockaddr_un($ARGV[0])) or do { print "refused: $!"; exit 0 };
            syswrite($s, pack("H*", $ARGV[1])); my $b;
            sysread($s, $b, 10); my $n = unpack("N", $b); my $d = "";
            while (length($d) < $n) { sysread($s, $d, $n - length($d), length($d)) or last }
            print unpack("H*", $d);
            """

        private func ask(_ socket: String) async throws -> String { try await blocking { try Self.ask(socket) } }

        private static func ask(_ socket: String) throws -> String {
            let process = Process()
            let output = Pipe()
            let frame = RawConnection.request(V1.DaemonRPC.status, V1.StatusRequest())
            process.executableURL = URL(fileURLWithPath: "/usr/bin/perl")
            process.arguments = ["-e", stranger, socket, frame.map { String(format: "%02x", $0) }.joined()]
            process.standardOutput = output
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return text
        }

        private func response(_ hexadecimal: String) throws -> TTRPC.Response {
            let digits = Array(hexadecimal.utf8)
            let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
            }
            return try TTRPC.Response(serialized: bytes)
        }

        @Test(
            "another user cannot even reach the socket; where the socket is shared, those who are not named are refused",
            .enabled(if: geteuid() == 0 && hasPerl, "needs root and perl: to become another user"))
        func otherUsers() async throws {
            try await TestDaemon.run { daemon in
                let answer = try await ask(daemon.socket)
                #expect(answer.contains("refused: Permission denied"))
            }
            try await TestDaemon.run(["allow_uids": "12345"]) { daemon in
                let answer = try await ask(daemon.socket)
                let status = try response(answer).status
                #expect(status?.code == WireError.Code.permissionDenied.rawValue)
                #expect(status?.message.contains("user 65534") == true, "\(status?.message ?? "")")
                #expect(try await daemon.call(V1.DaemonRPC.status, V1.StatusRequest()).connections == 1)
            }
            try await TestDaemon.run(["allow_uids": "65534"]) { daemon in
                let text = try await ask(daemon.socket)
                let answer = try response(text)
                #expect(answer.status?.code ?? 0 == 0)
                let status = try V1.DaemonStatus(serialized: answer.payload)
                #expect(status.socket == daemon.socket)
            }
        }
    }
}
