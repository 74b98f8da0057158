import Testing

@testable import Features

@Suite("Which speakers name, and which score")
struct SpeakerSplitTests {
    private func recordings(_ speakers: [String]) -> Recordings {
        Recordings(
            Dictionary(
                uniqueKeysWithValues: speakers.enumerated().map { number, speaker in
                    (
                        UInt64(number),
                        Recordings.Recording(
                            name: "\(number)", origin: 0, seconds: 1, frames: 50,
                            columns: speaker.isEmpty ? [:] : ["speaker": speaker], phonemes: [], words: [], tokens: [:])
                    )
                }))
    }

    @Test(
        "a recording of several speakers is in the part of all of them, or in neither",
        arguments: [0, 1, 2] as [UInt64])
    func joint(seed: UInt64) {
        let own = ["a", "b", "c", "d", "e"]
        let pairs = own.flatMap { one in own.filter { one < $0 }.map { (one, $0) } }
        // A `+` of a name's own says nothing.
        let speakers = own + ["en+f5", ""] + pairs.map { "\($0)+\($1)" }
        let split = SpeakerSplit(recordings(speakers), speakerColumns: ["speaker"], bySpeaker: true, seed: seed)
        func part(_ name: String) -> SpeakerSplit.Part? {
            speakers.firstIndex(of: name).flatMap { split.parts[UInt64($0)] }
        }
        #expect(part("en+f5") != nil && part("") != nil && split.reason.isEmpty)
        for (a, b) in pairs { #expect(part("\(a)+\(b)") == (part(a) == part(b) ? part(a) : nil)) }
        #expect(Set(own.map(part)) == [.name, .score])
    }
}
