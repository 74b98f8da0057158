import CDescriptors
import Foundation
import TestSupport
import Testing

@testable import PluginHost

@Suite("The memory that windows come in")
struct WindowMemoryTests {
    @Test(
        "windows of any size, one after the other and of two instances, are seen as they are", arguments: [true, false])
    func sizes(keepsMemory: Bool) throws {
        let gathered = Gathered()
        let process = try gathered.start(TestBundle(), keepsMemory: keepsMemory)
        for instance in UInt32(0)..<2 {
            _ = try process.create(arguments: [], instance: instance)
            try process.activate(testRun, instance: instance)
        }
        var expected = [0.0, 0.0]
        // From nothing to several times what was there, and back.
        for (number, frames) in [3, 17, 5000, 1, 40_000, 0, 3, 9000].enumerated() {
            var clip = testClip(number, frames: frames, value: Float(number + 1) / 8)
            if frames == 0 { (clip.tensors, clip.samples) = ([], nil) }
            let instance = UInt32(number % 2)
            try process.process(clip, instance: instance)
            expected[number % 2] += frames == 0 ? 0 : try expectedSum(clip)
        }
        for instance in UInt32(0)..<2 {
            try process.finish(instance: instance)
            let sum = try #require(gathered.scalar("sum"))
            #expect(abs(sum - expected[Int(instance)]) < 1e-6 * abs(expected[Int(instance)]))
        }
        process.close()
    }

    @Test("is written by nobody but who made it, and keeps its size")
    func sealed() throws {
        let memory = try WindowMemory(capacity: 8192)
        let number = memory.descriptor.number
        _ = try [UInt8](repeating: 7, count: 100).withUnsafeBytes { try memory.append($0) }
        var byte: UInt8 = 1
        #expect(pwrite(number, &byte, 1, 0) == -1 && errno == EPERM)
        #expect(ftruncate(number, 4096) == -1 && ftruncate(number, 16384) == -1)
        #expect(mmap(nil, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0) == MAP_FAILED)
        let view = try #require(mmap(nil, 8192, PROT_READ, MAP_SHARED, number, 0))
        #expect(view != MAP_FAILED && mprotect(view, 8192, PROT_READ | PROT_WRITE) == -1)
        let bytes = UnsafeRawBufferPointer(start: view, count: 8192)
        #expect(bytes[99] == 7 && bytes[100] == 0)
        // What is written later is there without mapping it again.
        memory.clear()
        _ = try [UInt8](repeating: 9, count: 100).withUnsafeBytes { try memory.append($0) }
        #expect(bytes[99] == 9)
        munmap(view, 8192)
    }

    @Test("has no room for more than it was made for")
    func full() throws {
        let memory = try WindowMemory(capacity: 4096)
        #expect(try [UInt8](repeating: 1, count: 4000).withUnsafeBytes { try memory.append($0) } == 0)
        #expect(throws: PluginError.self) {
            _ = try [UInt8](repeating: 1, count: 100).withUnsafeBytes { try memory.append($0) }
        }
        #expect(try [UInt8](repeating: 1, count: 64).withUnsafeBytes { try memory.append($0) } == 4032)
    }

    @Test("windows that are put there while others wait are seen as they are, in the order of their calls")
    func staged() throws {
        let gathered = Gathered()
        let process = try gathered.start(TestBundle())
        _ = try process.create(arguments: [])
        try process.activate(testRun)
        var expected = 0.0
        var waiting: [@Sendable () throws -> Void] = []
        // They grow and shrink while up to three wait, one of which has no place left.
        for (number, frames) in [3, 17, 5000, 5000, 1, 40_000, 3, 0, 9000, 9000, 9000, 60_000, 2, 2].enumerated() {
            var clip = testClip(number, frames: frames, value: Float(number + 1) / 8)
            if frames == 0 { (clip.tensors, clip.samples) = ([], nil) }
            waiting.append(try process.stage(clip))
            expected += frames == 0 ? 0 : try expectedSum(clip)
            while waiting.count > number % 3 { try waiting.removeFirst()() }
        }
        for call in waiting { try call() }
        try process.finish()
        let sum = try #require(gathered.scalar("sum"))
        #expect(abs(sum - expected) < 1e-6 * abs(expected))
        process.close()
    }

    @Test("has two places, each its holder's until it is given back or forgotten")
    func places() throws {
        let places = WindowPlaces()
        func put(_ byte: UInt8, _ place: WindowPlace) throws -> UInt64 {
            var place = place
            return try withExtendedLifetime(place) {
                try [UInt8](repeating: byte, count: 100).withUnsafeBytes { try place.append($0) }
            }
        }
        let first = try #require(try places.place(for: 4000))
        var second = try places.place(for: 4000)
        #expect(try put(1, first) == 0)
        let offset = try put(2, #require(second))
        #expect(offset >= 4000 && offset % UInt64(PluginMemoryLayout.alignment) == 0)
        #expect(try places.place(for: 10) == nil)
        // No place reaches into the other.
        #expect(throws: PluginError.self) {
            var place = first
            try [UInt8](repeating: 3, count: 4000).withUnsafeBytes { _ = try place.append($0) }
        }
        second = nil
        let third = try #require(try places.place(for: 4000))
        #expect(third.memory === first.memory)
        first.giveBack()
        first.giveBack()
        #expect(try places.place(for: 4000)?.memory === first.memory)
        // A larger window makes another memory; what lies in the old one stays there.
        let large = try #require(try places.place(for: 10_000))
        #expect(large.memory !== first.memory && third.memory === first.memory)
        third.giveBack()
        #expect(try places.place(for: 10_000)?.memory === large.memory)
    }
}
