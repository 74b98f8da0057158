import Foundation
import Testing
import Whisper

/// The parts of word timestamps.
@Suite struct DecodingWordTests {
    @Test func `The median filter mirrors the ends and takes an outlier out`() {
        #expect(medianFiltered([1, 1, 9, 1, 1], width: 3) == [1, 1, 1, 1, 1])
        #expect(medianFiltered([5, 1, 4, 2, 3], width: 3) == [1, 4, 2, 3, 2])
        // Mirrored about the ends: 4 3 2 | 1 2 3 4 5 | 4 3 2.
        #expect(medianFiltered([1, 2, 3, 4, 5], width: 7) == [3, 3, 3, 3, 3])
        #expect(medianFiltered([3, 1, 2], width: 7) == [3, 1, 2])
        #expect(medianFiltered([], width: 7) == [])
    }

    @Test func `The path follows the cheap cells and visits every row`() {
        let costs: [Float] = [
            0, 9, 9, 9,
            9, 0, 0, 9,
            9, 9, 9, 0,
        ]
        let path = dynamicTimeWarping(costs, rows: 3, columns: 4)
        #expect(path.map(\.row) == [0, 1, 1, 2])
        #expect(path.map(\.column) == [0, 1, 2, 3])
    }

    @Test func `Of equal costs a step along the columns is taken`() {
        let path = dynamicTimeWarping([Float](repeating: 0, count: 6), rows: 2, columns: 3)
        #expect(path.map(\.row) == [0, 1, 1, 1] || path.map(\.row) == [0, 0, 0, 1])
        #expect(path.first.map { [$0.row, $0.column] } == [0, 0] && path.last.map { [$0.row, $0.column] } == [1, 2])
    }

    @Test func `Without frames, and with costs that are no numbers, there is still a path over all rows`() {
        #expect(dynamicTimeWarping([], rows: 3, columns: 0).map(\.row) == [0, 1, 2])
        let path = dynamicTimeWarping([Float](repeating: .nan, count: 6), rows: 2, columns: 3)
        #expect(Set(path.map(\.row)).isSuperset(of: [0, 1]))
    }

    private func timings(_ words: [String]) -> [WordTiming] {
        words.enumerated().map {
            WordTiming(word: $1, tokens: [$0], start: Double($0) / 2, end: Double($0 + 1) / 2, probability: 1)
        }
    }

    @Test func `Opening marks join the next word and closing marks the one before`() {
        let marks = WordTimestamps(prepended: "\"'“¿([{-", appended: "\"'.。,，!！?？:：”)]}、")
        var words = timings([" He", " said", " \"", "yes", "?", "\"", ".", " (", "No", ")"])
        marks.mergePunctuation(&words)
        #expect(words.map(\.word) == [" He", " said", "", " \"yes?\".", "", "", "", "", " (No)", ""])
        #expect(words.map(\.tokens) == [[0], [1], [], [2, 3, 4, 5, 6], [], [], [], [], [7, 8, 9], []])
        var nothing: [WordTiming] = []
        marks.mergePunctuation(&nothing)
        #expect(nothing.isEmpty)
    }

    private func segment(_ start: Double, _ end: Double) -> Segment {
        Segment(
            id: 0, seek: 0, start: start, end: end, text: "", tokens: [], temperature: 0, avgLogprob: 0,
            compressionRatio: 1, noSpeechProb: nil)
    }

    private func add(
        _ alignment: [WordTiming], to segments: [Segment], counts: [Int], offset: Double = 0, lastSpeech: Double = 0
    ) -> [Segment] {
        var segments = segments
        WordTimestamps(prepended: "", appended: "").add(
            to: &segments, texts: counts.map { Array(repeating: 0, count: $0) }, alignment: alignment, offset: offset,
            lastSpeech: lastSpeech)
        return segments
    }

    @Test func `Words are dealt to the segments that their tokens belong to, at the window's offset`() {
        let done = add(
            timings([" a", " b", " c"]), to: [segment(10, 11), segment(11, 11.5)], counts: [2, 1], offset: 10,
            lastSpeech: 10)
        #expect(done[0].words?.map(\.word) == [" a", " b"])
        #expect(done[1].words?.map(\.start) == [11])
        #expect(done[1].end == 11.5)
    }

    @Test func `A first word that reaches far into the pause before it is shortened`() {
        var words = timings([" a", " b", " c", " d"])
        words[0].end = 4
        for i in 1..<4 {
            words[i].start = 3.5 + Double(i) / 2
            words[i].end = 4 + Double(i) / 2
        }
        let done = add(words, to: [segment(3.2, 5.5)], counts: [4])
        #expect(done[0].words?[0].start == 3 && done[0].words?[0].end == 4)
        #expect(done[0].start == 3)
    }

    @Test func `A long word at a sentence's end is shortened`() {
        var words = timings([" a", " b", ".", " c", " d"])
        words[3].end = 4
        words[4].start = 4
        words[4].end = 4.5
        let done = add(words, to: [segment(0, 4.5)], counts: [5])
        #expect(done[0].words?[3].start == 3)
    }

    @Test(arguments: [("", 0.0), ("a", 1.0 / 9), (String(repeating: "ha ", count: 100), 300.0 / 15)])
    func `The compression ratio is zlib's`(text: String, ratio: Double) throws {
        #expect(abs(try compressionRatio(of: text) - ratio) < 1e-12)
    }
}
