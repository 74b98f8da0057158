import Files
import Foundation
import Messages
import TestSupport
import Testing

import PluginHost

@Suite("A hostile plugin")
struct HostileTests {
    /// A fault, what the error says, and its code.
    static let endings: [(fault: String, sentence: String, code: ErrorCode)] = [
        ("segfault", "crashed with SIGSEGV in process()", .crashed),
        ("abort", "crashed with SIGABRT in process()", .crashed),
        ("exit", "exited with code 0 in process()", .crashed),
        ("exit3", "exited with code 3 in process()", .crashed),
        ("loop", "gave no answer in process() within 0.3 s", .noAnswer),
        ("spin", "gave no answer in process() within 0.3 s", .noAnswer),
        ("silent-garbage", "sent what is no message in process()", .brokeRules),
        ("huge-frame", "a frame of 4294967295 bytes", .brokeRules),
        ("forged-undeclared", "'ghost' is not declared", .brokeRules),
        ("forged-nan", "the result sum is nan", .brokeRules),
        ("forks", "crashed with SIGABRT in process()", .crashed),
        ("create-crashes", "crashed with SIGABRT in create()", .crashed),
    ]

    @Test("ends its own process with a precise error, and the next one works", arguments: endings)
    func ends(fault: String, sentence: String, code: ErrorCode) throws {
        let bundle = try TestBundle()
        let gathered = Gathered()
        let isSlow = code == .noAnswer
        let process = try gathered.start(bundle, limits: isSlow ? TestLimits.impatient : TestLimits.patient)
        let error = #expect(throws: PluginError.self) { try provoke(fault, gathered, process) }
        #expect(error?.code == code)
        let message = error?.message ?? ""
        #expect(message.contains(sentence), "\(message)")
        #expect(message.contains("org.example.faulty"))
        // The reason stays.
        let again = #expect(throws: PluginError.self) { try process.finish() }
        #expect(again == error)
        #expect(process.processID == -1)
        process.close()
        try works(bundle)
    }

    @Test("that uses up its memory is said to have done so")
    func memory() throws {
        let bundle = try TestBundle()
        var limits = PluginLimits()
        limits.memoryBytes = 1 << 30
        let gathered = Gathered()
        let process = try gathered.start(bundle, limits: limits)
        let error = #expect(throws: PluginError.self) { try provoke("allocate", gathered, process) }
        let message = error?.message ?? ""
        #expect(message.contains("crashed with SIGSEGV in process(), ") == false)
        #expect(message.contains("its memory was used up"), "\(message)")
        try works(bundle)
    }

    @Test(
        "that writes noise to every descriptor, or closes the socket, is killed",
        arguments: ["garbage", "closes-socket"])
    func noise(fault: String) throws {
        let bundle = try TestBundle()
        let gathered = Gathered()
        let process = try gathered.start(bundle)
        let error = #expect(throws: PluginError.self) { try provoke(fault, gathered, process) }
        #expect(error?.isCrash == true)
        #expect(process.processID == -1)
        try works(bundle)
    }

    static let refusals: [(fault: String, sentence: String)] = [
        ("undeclared", "the host said 2: the result 'ghost' is not declared"),
        ("nan", "the host said 2: the result sum is nan"),
        ("wrong-kind", "the host said 2: the result pair is not of the declared kind, vector"),
        ("wrong-shape", "the host said 2: the array has rank 2, 1 was expected"),
        ("huge-shape", "the host said 6: the array has the shape [9223372036854775807]"),
        ("null-data", "the host said 2: the array's data is NULL"),
    ]

    @Test("that emits what it may not is told so, and nothing is kept", arguments: refusals)
    func refused(fault: String, sentence: String) throws {
        let gathered = Gathered()
        let process = try gathered.start(TestBundle())
        defer { process.close() }
        let error = #expect(throws: PluginError.self) { try provoke(fault, gathered, process) }
        #expect(error?.isCrash == false)
        let message = error?.message ?? ""
        #expect(message.contains(sentence), "\(message)")
        #expect(gathered.count == 0)
        // The run goes on.
        try process.finish()
        #expect(gathered.scalar("clips") == 0)
    }

    @Test("gets a million results through, or as many as it may have")
    func million() throws {
        let gathered = Gathered()
        let process = try gathered.start(TestBundle())
        try provoke("million", gathered, process)
        process.close()
        #expect(gathered.count == 1_000_000)
        #expect(gathered.scalar("sum") == 999_999)

        let fewer = Gathered()
        var limits = PluginLimits()
        limits.results = 1000
        let second = try fewer.start(TestBundle(), limits: limits)
        let error = #expect(throws: PluginError.self) { try provoke("million", fewer, second) }
        #expect(error?.code == .limit)
        #expect(fewer.count == 1000)
        second.close()
    }

    @Test("that sleeps in destroy() or deinit() is killed", arguments: ["slow-destroy", "deinit-loops"])
    func sleepsAtTheEnd(fault: String) throws {
        let bundle = try TestBundle(fault: fault)
        let gathered = Gathered()
        let process = try gathered.start(bundle, limits: TestLimits.impatient)
        _ = try process.create(arguments: [])
        let id = process.processID
        process.close()
        #expect(kill(id, 0) != 0)
        let warning = gathered.log.withLock { $0.last?.message } ?? ""
        #expect(warning.contains("gave no answer in de"), "\(warning)")
    }

    static let lies: [(fault: String, sentence: String)] = [
        ("magic", "its entry begins with 0x1234, the magic number is 0x43535541"),
        ("entry-size", "its entry has the struct_size 8"),
        ("major", "it is made for version 2.0 of the interface, this host has 1.0"),
        ("minor", "it is made for version 1.7 of the interface"),
        ("no-init", "lacks init"),
        ("no-factory", "it has no auscult.plugin-factory/1"),
        ("init-fails", "its init() returned AUSCULT_FAILED"),
        ("many-plugins", "it says that it has 4000000000 plugins"),
        ("other-id", "the library has the plugins org.example.other"),
        ("other-version", "has the version '2.0', its manifest '1.0'"),
        ("null-name", "its name is NULL"),
        ("not-utf8", "its vendor is not UTF-8"),
        ("huge-parameters", "it has 4000000000 parameters"),
        ("huge-outputs", "it has 4000000000 outputs"),
        ("descriptor-size", "its descriptor has the struct_size 16"),
        ("bad-default", "its parameter gain does not take its own default"),
        ("long-text", "its description has more than 65536 bytes"),
        ("wild-pointer", "crashed with SIGSEGV in describe()"),
        ("init-crashes", "crashed with SIGABRT in describe()"),
        ("init-loops", "gave no answer in describe() within 0.5 s"),
    ]

    @Test("that lies about itself is not loaded, and it is said why", arguments: lies)
    func loading(fault: String, sentence: String) throws {
        var limits = PluginLimits()
        if fault == "init-loops" { limits.startTimeout = 0.5 }
        let bundle = try TestBundle(fault: fault)
        let error = #expect(throws: PluginError.self) { _ = try Gathered().start(bundle, limits: limits) }
        let message = error?.message ?? ""
        #expect(message.contains(sentence), "\(message)")
    }

    @Test("library without the symbol, and one that is none, are refused")
    func noLibrary() throws {
        let empty = try TestBundle(library: "NoPlugin")
        let error = #expect(throws: PluginError.self) { _ = try Gathered().start(empty) }
        #expect(error?.message.contains("exports no symbol auscult_plugin") == true)
        let text = try TestBundle()
        try "no library".write(toFile: text.path + "/plugin.so", atomically: true, encoding: .utf8)
        let other = #expect(throws: PluginError.self) { _ = try Gathered().start(text) }
        #expect(other?.message.contains("the library cannot be loaded") == true)
        #expect(other?.code == .brokenBundle)
    }

    @Test(
        "that fails to make an instance says why",
        arguments: [
            ("create-fails", "there is no making org.example.faulty"),
            ("small-instance", "its instance has the struct_size 4"),
        ])
    func create(fault: String, sentence: String) throws {
        let process = try Gathered().start(TestBundle(fault: fault))
        defer { process.close() }
        let error = #expect(throws: PluginError.self) { _ = try process.create(arguments: []) }
        #expect(error?.message.contains(sentence) == true)
        #expect(error?.isCrash == false)
    }

    private func works(_ bundle: TestBundle) throws {
        let gathered = Gathered()
        let process = try gathered.start(bundle)
        try provoke("", gathered, process)
        try process.finish()
        process.close()
        #expect(gathered.scalar("clips") == 1)
    }
}
