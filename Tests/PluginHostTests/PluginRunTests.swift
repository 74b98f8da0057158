import Foundation
import Messages
import TestSupport
import Testing

import PluginHost

@Suite("A plugin that works")
struct PluginRunTests {
    @Test("sees the numbers that it is shown, and gives its results")
    func runs() throws {
        let bundle = try TestBundle()
        let gathered = Gathered()
        let process = try gathered.start(bundle)
        let description = try process.describe()
        #expect(description.outputs.map(\.id) == ["sum", "clips", "pair", "words"])
        #expect(description.parameters.first { $0.id == "gain" }?.maximum == 10)
        let needs = try process.create(arguments: [V1.PluginArgument(id: "gain", value: "2")])
        #expect(needs.hooks == ["encoder.blocks.*.hook_resid_post"])
        #expect(needs.audio && needs.hasState && !needs.decoder)
        try process.activate(testRun)
        let clips = [testClip(0), testClip(1, frames: 17, value: 0.25)]
        for clip in clips { try process.process(clip) }
        try process.finish()
        process.close()
        #expect(gathered.scalar("clips") == 2)
        let expected = try clips.map(expectedSum).reduce(0, +) * 2
        #expect(abs(try #require(gathered.scalar("sum")) - expected) < 1e-9)
    }

    @Test("is put together from states saved apart")
    func merges() throws {
        let bundle = try TestBundle()
        var states: [[UInt8]] = []
        for number in 0..<2 {
            let process = try Gathered().start(bundle)
            _ = try process.create(arguments: [])
            try process.activate(testRun)
            try process.process(testClip(number))
            states.append(try process.save())
            process.close()
        }
        let gathered = Gathered()
        let process = try gathered.start(bundle)
        _ = try process.create(arguments: [])
        for state in states { try process.merge(state) }
        #expect(throws: PluginError.self) { try process.merge([1, 2, 3]) }
        try process.finish()
        process.close()
        #expect(gathered.scalar("clips") == 2)
    }

    @Test("asks the engine, and goes on after a refusal")
    func asks() throws {
        let bundle = try TestBundle()
        let gathered = Gathered()
        let process = try gathered.start(bundle, folder: "/tmp")
        try provoke("asks", gathered, process)
        let texts = gathered.results.withLock { $0.map(\.value) }
        #expect(texts == [.text("2 <0><1> /tmp")])
        process.close()

        let other = Gathered()
        let second = try other.start(bundle)
        try provoke("weights", other, second)
        try second.finish()
        second.close()
        #expect(abs(try #require(other.scalar("sum")) - 6 - (try expectedSum(testClip()))) < 1e-9)
    }

    @Test("asks for a pass on a log-mel of its own, with objectives, and goes on after refusals")
    func passes() throws {
        let gathered = Gathered()
        let process = try gathered.start(TestBundle())
        defer { process.close() }
        try provoke("passes", gathered, process)
        // Rows of 1 to 4 and of 5 to 8, whose columns were told.
        let sum = 1 + 2 + 3 + 4 + 2 * (5 + 6 + 7 + 8)
        #expect(
            gathered.text("words")
                == "33 133 \(sum); 2 the pass has samples and a log-mel; one of the two was expected; 2; 5; 2")
    }

    @Test(
        "is not even asked when an argument is none of its own",
        arguments: [
            ("gian", "1", "gain"), ("gain", "11", "at most 10"), ("gain", "-1", "at least 0"),
            ("gain", "much", "a number"),
            ("gain", "nan", "a number"),
        ])
    func arguments(id: String, value: String, sentence: String) throws {
        let process = try Gathered().start(TestBundle())
        defer { process.close() }
        let error = #expect(throws: PluginError.self) {
            _ = try process.create(arguments: [V1.PluginArgument(id: id, value: value)])
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(sentence) == true)
    }

    @Test("has its time anew whenever it gets on, and not for saying the same again", arguments: [true, false])
    func progress(getsOn: Bool) throws {
        let gathered = Gathered()
        var limits = PluginLimits()
        limits.processTimeout = 3
        let process = try gathered.start(TestBundle(), limits: limits)
        defer { process.close() }
        if getsOn {
            try provoke("reports", gathered, process)
            try process.finish()
            #expect(gathered.scalar("clips") == 1)
        } else {
            let error = #expect(throws: PluginError.self) { try provoke("stands-still", gathered, process) }
            #expect(error?.code == .noAnswer)
        }
    }

    @Test("ends the call when it is cancelled, and lives on")
    func cancels() throws {
        let bundle = try TestBundle()
        let gathered = Gathered()
        var limits = PluginLimits()
        limits.cancelGrace = 60
        let process = try gathered.start(bundle, limits: limits)
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 0.1)
            process.cancel()
        }
        let error = #expect(throws: PluginError.self) { try provoke("cancellable", gathered, process) }
        #expect(error?.code == .cancelled)
        #expect(error?.message.contains("as asked") == true)
        #expect(process.processID > 0)
        process.close()
    }

    @Test("is killed when it does not end after a cancellation")
    func cancelsHard() throws {
        let bundle = try TestBundle()
        let gathered = Gathered()
        var limits = PluginLimits()
        limits.cancelGrace = 0.2
        let process = try gathered.start(bundle, limits: limits)
        process.cancel()
        let error = #expect(throws: PluginError.self) { try provoke("loop", gathered, process) }
        #expect(error?.code == .cancelled)
        #expect(process.processID == -1)
    }

    @Test("ends when whoever takes its results throws")
    func resultsThrow() throws {
        struct Full: Error {}
        let bundle = try TestBundle()
        let process = try PluginProcess.start(bundle.bundle, services: TestServices()) { _ in throw Full() }
        _ = try process.create(arguments: [])
        try process.activate(testRun)
        #expect(throws: Full.self) { try process.finish() }
        #expect(throws: PluginError.self) { try process.finish() }
        process.close()
    }

    @Test("has its standard output in the log, not in the protocol")
    func output() throws {
        let gathered = Gathered()
        let process = try gathered.start(TestBundle())
        try provoke("prints", gathered, process)
        try process.finish()
        process.close()
        let lines = gathered.log.withLock { $0.map(\.message) }
        #expect(lines.contains("stdout: hello"))
        #expect(gathered.scalar("clips") == 1)
    }

    @Test("may say no more than so many lines")
    func chatty() throws {
        let gathered = Gathered()
        var limits = PluginLimits()
        limits.logLines = 100
        let process = try gathered.start(TestBundle(), limits: limits)
        try provoke("chatty", gathered, process)
        process.close()
        let lines = gathered.log.withLock { $0 }
        #expect(lines.count == 101)
        #expect(lines.last?.level == "warning")
    }

    @Test("cannot write into what it is shown")
    func readOnly() throws {
        let gathered = Gathered()
        let process = try gathered.start(TestBundle())
        let error = #expect(throws: PluginError.self) { try provoke("writes-tensor", gathered, process) }
        #expect(error?.message.contains("crashed with SIGSEGV in process()") == true)
    }

    @Test("refuses a tensor whose bytes are not those of its shape")
    func wrongTensor() throws {
        let process = try Gathered().start(TestBundle())
        defer { process.close() }
        _ = try process.create(arguments: [])
        try process.activate(testRun)
        var clip = testClip()
        clip.tensors[0].shape = [5, 5]
        let error = #expect(throws: PluginError.self) { try process.process(clip) }
        #expect(error?.code == .invalidArgument)
        clip.tensors[0].shape = [Int.max, 4]
        #expect(throws: PluginError.self) { try process.process(clip) }
        try process.process(testClip())
    }
}
