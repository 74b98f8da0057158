import Testing

@testable import Probes

@Suite("The split")
struct SplitTests {
    @Test(
        "no speaker is in two parts, every class is in all three, and the seed decides",
        arguments: [0, 1, 2] as [UInt64])
    func speakers(seed: UInt64) {
        let speakers = (0..<60).map { "s\($0 / 4)" }
        let labels = (0..<60).map { $0 / 4 % 3 == 0 ? "fr" : "en" }
        let split = Split(
            labels: labels, speakers: speakers, recordings: (0..<60).map(UInt64.init), byClass: true, seed: seed)
        #expect(split.unit == .speaker && split.reason.isEmpty)
        let parts = [split.train, split.validation, split.test]
        #expect(parts.flatMap { $0 }.sorted() == Array(0..<60))
        let sets = parts.map { Set($0.map { speakers[$0] }) }
        #expect(
            sets[0].isDisjoint(with: sets[1]) && sets[0].isDisjoint(with: sets[2]) && sets[1].isDisjoint(with: sets[2]))
        for part in parts { #expect(Set(part.map { labels[$0] }) == ["fr", "en"]) }
    }

    @Test(
        "a recording of several speakers is in the part of all of them, or in none",
        arguments: [0, 1, 2, 3] as [UInt64])
    func joint(seed: UInt64) {
        let own = (0..<15).map { "s\($0)" }
        let pairs = own.flatMap { a in own.filter { a < $0 }.map { (a, $0) } }
        // A `+` of a name's own says nothing.
        let speakers = own + ["en+f5"] + pairs.map { "\($0)+\($1)" }
        let split = Split(
            labels: speakers.map { _ in "x" }, speakers: speakers, recordings: speakers.indices.map(UInt64.init),
            byClass: false, seed: seed)
        let parts = [split.train, split.validation, split.test].map { Set($0.map { speakers[$0] }) }
        #expect(parts.count { $0.contains("en+f5") } == 1)
        for (a, b) in pairs {
            let together = parts.firstIndex { $0.contains(a) && $0.contains(b) }
            #expect(parts.firstIndex { $0.contains("\(a)+\(b)") } == together)
        }
        #expect(parts.map(\.count).reduce(0, +) < speakers.count)
    }

    @Test("the order of the rows changes nothing")
    func order() {
        let speakers = (0..<30).map { "s\($0 % 10)" }
        let labels = (0..<30).map { $0 % 2 == 0 ? "a" : "b" }
        let recordings = (0..<30).map(UInt64.init)
        let forward = Split(labels: labels, speakers: speakers, recordings: recordings, byClass: true, seed: 9)
        let backward = Split(
            labels: labels.reversed(), speakers: speakers.reversed(), recordings: recordings.reversed(), byClass: true,
            seed: 9)
        #expect(forward.test == backward.test.map { 29 - $0 }.sorted())
    }

    @Test("without speakers, or with too few in a class, it is by recording and says why")
    func fallback() {
        let recordings = (0..<12).map(UInt64.init)
        let labels = (0..<12).map { $0 % 2 == 0 ? "a" : "b" }
        let none = Split(
            labels: labels, speakers: Array(repeating: "", count: 12), recordings: recordings, byClass: true, seed: 0)
        #expect(none.unit == .recording && none.reason == "no recording names its speaker")
        let own = Split(labels: labels, speakers: labels, recordings: recordings, byClass: true, seed: 0)
        #expect(own.unit == .recording && own.reason.contains("three"))
        #expect(!own.test.isEmpty && !own.validation.isEmpty)
    }
}
