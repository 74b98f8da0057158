import Foundation
import TestSupport
import Testing

@testable import Atlas
@testable import AtlasPage

@Suite struct ByteRangeTests {
    @Test(
        "Ranges of a file of ten bytes are what RFC 9110 says",
        arguments: [
            (nil, ByteRange.whole), ("bytes=0-9", .part(0..<10)), ("bytes=0-0", .part(0..<1)),
            ("bytes=3-", .part(3..<10)), ("bytes=5-99", .part(5..<10)), ("bytes=-3", .part(7..<10)),
            ("bytes=-99", .part(0..<10)), ("bytes=10-", .unsatisfiable), ("bytes=-0", .unsatisfiable),
            ("bytes=99999999999999999999999-", .unsatisfiable), ("bytes=0-99999999999999999999", .part(0..<10)),
            ("bytes=4-2", .whole), ("bytes=", .whole), ("bytes=-", .whole), ("bytes=+1-2", .whole),
            ("bytes=1-2,3-4", .whole), ("items=0-1", .whole),
        ] as [(String?, ByteRange)])
    func ranges(header: String?, range: ByteRange) { #expect(ByteRange(header, size: 10) == range) }

    @Test("An empty file has no part")
    func empty() {
        #expect(ByteRange("bytes=0-", size: 0) == .unsatisfiable)
        #expect(ByteRange("bytes=-1", size: 0) == .unsatisfiable)
        #expect(ByteRange(nil, size: 0) == .whole)
    }
}

@Suite struct PageExcerptTests {
    private func recording(_ seconds: Double?, path: String? = "/a.wav") -> AtlasRecording {
        AtlasRecording(
            id: 12, scanId: 1, number: 0, name: nil, path: path, start: nil, end: nil, seconds: seconds, frames: nil,
            sha256: nil, speaker: nil, language: nil, text: nil, split: nil, labels: [:])
    }

    @Test("A short recording is played whole, so that its examples share one sound")
    func short() {
        #expect(PageExcerpt(of: recording(2), at: 0.1)?.name == "12-0-2000")
        #expect(PageExcerpt(of: recording(2), at: 1.9)?.name == "12-0-2000")
        #expect(PageExcerpt(of: recording(1.99987), at: nil)?.name == "12-0-1999")
    }

    @Test("Of a long one it is what is around the moment, as far as there is sound")
    func long() {
        #expect(PageExcerpt(of: recording(100), at: 50)?.name == "12-48500-51500")
        #expect(PageExcerpt(of: recording(100), at: 0.5)?.name == "12-0-2000")
        #expect(PageExcerpt(of: recording(100), at: 99.9)?.name == "12-98400-100000")
        #expect(PageExcerpt(of: recording(100), at: nil) == nil)
    }

    @Test("Without a place, a length or a moment within there is nothing to play")
    func nothing() {
        #expect(PageExcerpt(of: recording(2, path: nil), at: 1) == nil)
        for seconds in [nil, 0, -1, .nan, .infinity, 1e300] as [Double?] {
            #expect(PageExcerpt(of: recording(seconds), at: 1) == nil)
        }
        for moment in [-1, 101, .nan, .infinity] as [Double] {
            #expect(PageExcerpt(of: recording(100), at: moment) == nil)
        }
    }

    @Test("A name is read as it was written, and nothing else is a name")
    func names() throws {
        let excerpt = try #require(PageExcerpt(of: recording(100), at: 50))
        #expect(try PageExcerpt(name: excerpt.name) == excerpt)
        for name in [
            "", "1", "1-2", "1-2-3-4", "a-0-1", "1-0-0", "1-5-4", "1--1-5", "1-0-30001", "1-0-99999999999999999999",
            // As seconds they are one.
            "1-232390000293384020-232390000293384040",
        ] {
            #expect(throws: AtlasError.self) { try PageExcerpt(name: name) }
        }
    }
}

@Suite struct SoundCacheTests {
    @Test("A sound is made once; the one that was used longest ago goes first")
    func order() async throws {
        let cache = SoundCache(greatestBytes: 25)
        func get(_ name: String) async throws -> Bool {
            var made = false
            let sound = try await cache.get(name) {
                made = true
                return Array(repeating: UInt8(name.count), count: 10)
            }
            #expect(sound.count == 10)
            return made
        }
        #expect(try await get("a"))
        #expect(try await get("b"))
        #expect(try await !get("a"))
        #expect(try await get("c"))
        #expect(try await !get("a"))
        #expect(try await get("b"))
    }
}
