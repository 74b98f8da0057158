import Files
import Foundation
import Messages
import TestSupport
import Testing

import PluginHost

/// Plugins/HostilePlugin has the attacks, one in a file.
@Suite("A confined plugin")
struct ConfinementTests {
    /// What an attack comes to: each attempt, and whether it succeeds. What is not refused is allowed, and stands in plugins/README.md.
    static let attacks: [(name: String, refused: [String], allowed: [String])] = [
        (
            "files",
            [
                "read a file of the user's", "list the user's folder",
                "open it without reading rights asked for, and then again",
                "read it by a symbolic link in its own folder", "read the daemon's memory",
                "read another process's environment", "list the processes", "read passwords",
            ], ["learn that a file is there, and its size", "read what every program reads"]
        ),
        (
            "writes",
            [
                "make a file", "make a folder", "make a link", "make a file without a name", "write to a file",
                "cut a file off", "remove a file", "rename a file", "take a file into its own folder",
                "change who may read it", "change whose it is", "change what is noted beside it", "change its times",
                "write where all programs do",
            ], ["write in its own folder"]
        ),
        (
            "sockets",
            [
                "connect by TCP", "listen on TCP", "send by UDP", "connect to a Unix socket",
                "listen under an abstract name", "ask the kernel by netlink", "make a ring that does calls unseen",
            ], ["have a pair of its own"]
        ),
        (
            "signals",
            [
                "signal the daemon", "signal a sibling", "signal its keeper", "signal its group", "signal all",
                "signal a thread of the daemon's", "signal by thread and group", "queue a signal",
                "signal by descriptor", "change the daemon's limits", "hold the daemon to one processor",
                "slow the daemon down", "outlive the daemon", "outlive it, by a number that is cut off",
            ], ["signal itself"]
        ),
        (
            "tracing",
            [
                "trace the daemon", "trace its keeper", "read the daemon's memory", "write the daemon's memory",
                "take a descriptor of the daemon's", "list the daemon's descriptors", "compare descriptors",
                "run a program of the kernel's", "count the daemon's events",
            ], []
        ),
        (
            "forks",
            [
                "leave a process in a session of its own", "leave forty", "call vfork", "call clone3",
                "start a program", "become another program", "leave its session",
            ], ["start a thread"]
        ),
        (
            "memory",
            [
                "map more than it may have", "lift its limit", "share a segment that stays",
                "open a thousand descriptors", "allocate until there is none",
            ], []
        ),
    ]

    @Test(
        "is refused what it was not granted, and what it may do all the same is known",
        .enabled(if: ConfinementSupport.gaps.isEmpty, "this kernel has not all of Landlock and seccomp"),
        arguments: attacks)
    func confined(name: String, refused: [String], allowed: [String]) throws {
        let place = try Place()
        let report = try place.attack(name, at: place.target(of: name))
        for attempt in refused {
            #expect(report[attempt]?.hasPrefix("refused") == true, "\(attempt): \(report[attempt] ?? "not tried")")
        }
        for attempt in allowed { #expect(report[attempt] == "done", "\(attempt): \(report[attempt] ?? "not tried")") }
        // Only whether memory is locked depends on the user's limits.
        #expect(Set(report.keys).subtracting(refused + allowed).isSubset(of: ["lock memory"]), "\(report)")
        #expect(try String(contentsOfFile: place.user("secret"), encoding: .utf8) == "a secret")
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.user.path) == ["secret"])
        #expect(place.processes() == [])
    }

    @Test("that says without end is heard up to a bound, and moves no terminal's cursor")
    func floods() throws {
        let place = try Place()
        #expect(try place.attack("floods", at: "")["write 50 MB and 20,000 lines"] == "done")
        let lines = place.gathered.log.withLock { $0 }
        #expect(lines.count <= PluginLimits().logLines + 1)
        #expect(lines.allSatisfy { $0.message.utf8.count <= 4200 && !$0.message.utf8.contains(0x1b) })
    }

    @Test("reads and writes the paths that the run allows", .enabled(if: ConfinementSupport.gaps.isEmpty))
    func allowed() throws {
        let place = try Place()
        var permissions = PluginPermissions()
        permissions.readable = [place.user.path]
        let read = try place.attack("files", at: place.user.path, permissions)
        #expect(read["read a file of the user's"] == "done" && read["list the user's folder"] == "done")
        let unwritten = try place.attack("writes", at: place.user.path, permissions)
        #expect(unwritten["make a file"]?.hasPrefix("refused") == true)
        permissions.writable = [place.user.path]
        let written = try place.attack("writes", at: place.user.path, permissions)
        for attempt in ["make a file", "write to a file", "cut a file off", "remove a file"] {
            #expect(written[attempt] == "done", "\(attempt): \(written[attempt] ?? "")")
        }
    }

    @Test("reads the paths that are named to it", .enabled(if: ConfinementSupport.gaps.isEmpty))
    func named() throws {
        let place = try Place()
        let report = try place.attack("files", at: place.user.path, out: place.user.path)
        #expect(report["read a file of the user's"] == "done")
        #expect(try place.attack("writes", at: place.user.path, out: place.user.path)["make a file"] != "done")
    }

    @Test(
        "writes the folder of an argument that its manifest names, which is made, and taken away where nothing came",
        .enabled(if: ConfinementSupport.gaps.isEmpty))
    func output() throws {
        let place = try Place(permissions: #"{"write_folders": ["out"]}"#)
        let out = place.user("new/out")
        #expect(try place.attack("writes", at: out, out: out)["make a file"] == "done")
        #expect(FileManager.default.fileExists(atPath: out + "/made"))
        let empty = place.user("empty")
        _ = try place.attack("files", at: empty, out: empty)
        #expect(!FileManager.default.fileExists(atPath: empty))
    }

    @Test("whose folder to write is a file, or a pipe, is not started")
    func occupied() throws {
        let place = try Place(permissions: #"{"write_folders": ["out"]}"#)
        let file = place.user("file"), pipe = place.user("pipe")
        try Data("x".utf8).write(to: URL(fileURLWithPath: file))
        #expect(mkfifo(pipe, 0o600) == 0)
        for path in [file, pipe] {
            let error = #expect(throws: PluginError.self) { try place.attack("files", at: "", out: path) }
            #expect(error?.code == .cannotCreate && error?.message.contains(path) == true, "\(error?.message ?? "")")
        }
    }

    @Test("that needs the network or a path is not started where the run does not allow them, and it is said how")
    func needs() throws {
        let place = try Place(permissions: #"{"network": true, "read": ["/opt/voices"]}"#)
        let error = #expect(throws: PluginError.self) { try place.attack("files", at: "") }
        #expect(error?.code == .permissionDenied)
        #expect(error?.message.contains("--allow network --allow read=/opt/voices") == true, "\(error?.message ?? "")")
        // To be described it needs nothing.
        let process = try place.gathered.start(place.bundle)
        #expect(try process.describe().permissions?.network == true)
        process.close()
        var permissions = PluginPermissions()
        permissions.network = true
        permissions.readable = ["/opt"]
        #expect(try place.attack("files", at: place.user.path, permissions)["read passwords"] != "done")
    }

    @Test(
        "that was granted the network listens on TCP, and reaches no Unix socket",
        .enabled(if: ConfinementSupport.gaps.isEmpty))
    func network() throws {
        let place = try Place()
        var permissions = PluginPermissions()
        permissions.network = true
        let report = try place.attack("sockets", at: place.target(of: "sockets"), permissions)
        #expect(report["listen on TCP"] == "done")
        #expect(report["connect to a Unix socket"]?.hasPrefix("refused") == true)
        #expect(report["listen under an abstract name"]?.hasPrefix("refused") == true)
    }

    @Test("What an unconfined plugin leaves behind ends with it, in whatever session it is")
    func descendants() throws {
        let place = try Place()
        var permissions = PluginPermissions()
        permissions.unconfined = true
        let report = try place.attack("forks", at: "", permissions)
        #expect(report["leave forty"] == "done", "\(report)")
        #expect(place.processes() == [])
        let said = place.gathered.log.withLock { $0.map(\.message) }
        #expect(said.contains { $0.contains("it left processes behind, which were ended") }, "\(said)")
    }

    @Test("What an unconfined plugin leaves behind ends when it is killed for taking too long")
    func hanging() throws {
        let bundle = try TestBundle()
        var limits = TestLimits.impatient
        limits.cpuSeconds = Place.marker()
        var permissions = PluginPermissions()
        permissions.unconfined = true
        let gathered = Gathered()
        let process = try gathered.start(
            bundle, access: PluginAccess(arguments: [], permissions: permissions), limits: limits)
        // Itself and its keeper.
        #expect(Place.processes(limits.cpuSeconds).count == 2)
        let error = #expect(throws: PluginError.self) { try provoke("leaves-loops", gathered, process) }
        #expect(error?.code == .noAnswer)
        #expect(Place.processes(limits.cpuSeconds) == [])
        process.close()
    }

    @Test(
        "A kernel that has less says what does not hold",
        arguments: [(0, true, 1), (0, false, 2), (2, true, 1), (3, true, 0)])
    func gaps(landlock: Int, seccomp: Bool, count: Int) {
        #expect(ConfinementSupport.gaps(landlock: landlock, seccomp: seccomp).count == count)
    }
}

/// A hostile plugin, and a user's folder for it to attack.
private struct Place {
    let bundle: TestBundle
    let gathered = Gathered()
    let user: TemporaryFolder
    let own: TemporaryFolder
    /// By which processes of this test's are known: their limit, which nobody reaches.
    let limit = Self.marker()

    static func marker() -> Int { Int.random(in: 1_000_000...999_999_999) }

    init(permissions: String = "{}") throws {
        bundle = try TestBundle(library: "HostilePlugin", id: "org.example.hostile")
        try bundle.manifest(
            #"""
            {"id": "org.example.hostile", "name": "Faulty", "version": "1.0", "vendor": "nobody", "licence": "Apache-2.0",
             "description": "", "library": "plugin.so", "permissions": \#(permissions)}
            """#)
        user = try TemporaryFolder()
        own = try TemporaryFolder()
        try "a secret".write(toFile: user("secret"), atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: user("secret"))
    }

    /// What the attack is told to attack.
    func target(of attack: String) -> String {
        switch attack {
        case "sockets": "\(user.path)/socket 9"
        case "signals", "tracing": "\(getpid()) \(getppid())"
        default: user.path
        }
    }

    /// What came of each attempt.
    func attack(
        _ name: String, at target: String, _ permissions: PluginPermissions = PluginPermissions(), out: String = ""
    ) throws -> [String: String] {
        let arguments = [
            V1.PluginArgument(id: "attack", value: name), V1.PluginArgument(id: "target", value: "at \(target)"),
            V1.PluginArgument(id: "out", value: out),
        ]
        var limits = PluginLimits()
        limits.memoryBytes = 1 << 30
        limits.cpuSeconds = limit
        let process = try gathered.start(
            bundle, access: PluginAccess(arguments: arguments, permissions: permissions), folder: own.path,
            limits: limits)
        defer { process.close() }
        _ = try process.create(arguments: arguments)
        try process.activate(testRun)
        try process.process(testClip())
        try process.finish()
        let lines = try #require(gathered.text("attempts")).split(separator: "\n")
        return Dictionary(
            lines.map { line in
                let parts = line.split(separator: ": ", maxSplits: 1).map(String.init)
                return (parts[0], parts.last ?? "")
            }, uniquingKeysWith: { $1 })
    }

    func processes() -> [String] { Self.processes(limit) }

    /// The processes that have the limit among their arguments, forks of them as well.
    static func processes(_ limit: Int) -> [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.filter { Int($0) != nil }.filter { process in
            let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
            return line.split(separator: 0).contains(Data("\(limit)".utf8))
        }
    }
}
