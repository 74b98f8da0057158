import Daemon
import Testing

@Suite("When live text becomes final") struct LiveTextTests {
    private func text(_ tokens: [Int], frames: Int = 500) -> LiveText {
        LiveText(tokens: tokens, timestampBegin: 1000, frames: frames)
    }

    @Test("timestamps cut the tokens into pieces, and those in the padding mean the sound's end")
    func pieces() {
        #expect(text([]).pieces.isEmpty)
        #expect(text([1000, 1050]).pieces.isEmpty)
        #expect(text([7, 8]).pieces == [.init(start: 0, end: nil, tokens: [7, 8])])
        #expect(
            text([1002, 7, 1060, 1070, 8, 9, 1400], frames: 200).pieces
                == [.init(start: 2, end: 60, tokens: [7]), .init(start: 70, end: 200, tokens: [8, 9])])
        #expect(text([1010, 7, 1005]).pieces == [.init(start: 10, end: 10, tokens: [7])])
    }

    @Test("a piece is final when a second of sound with another piece, or of silence, follows it")
    func settled() {
        func commitment(_ tokens: [Int], frames: Int, silentFrom: Int? = nil) -> LiveText.Commitment {
            text(tokens, frames: frames).commitment(
                frames: frames, window: 500, silentFrom: silentFrom ?? frames)
        }
        let two = [1000, 7, 1060, 1060, 8]
        #expect(commitment(two, frames: 110) == .init(pieces: 1, frames: 60))
        #expect(commitment(two, frames: 109) == .init(pieces: 0, frames: 0))
        let one = [1000, 7, 1060]
        #expect(commitment(one, frames: 200) == .init(pieces: 0, frames: 0))
        #expect(commitment(one, frames: 110, silentFrom: 55) == .init(pieces: 1, frames: 60))
        #expect(commitment([1000, 7], frames: 300) == .init(pieces: 0, frames: 0), "it has no end")
        #expect(commitment([], frames: 300) == .init(pieces: 0, frames: 0))
    }

    @Test("a window that is nearly full frees a quarter at least, whatever was heard", arguments: [50, 100, 500, 1500])
    func full(window: Int) {
        let frames = window * 9 / 10
        let heard: [[Int]] = [
            [], [1000, 7], [1000, 7, 1000 + frames], [1000, 7, 1001, 1001, 8],
            [1000, 7, 1000 + window / 2, 1000 + window / 2, 8], [1000, 7, 1000 + frames / 3, 1000 + frames / 3, 8],
        ]
        for tokens in heard {
            let text = text(tokens, frames: frames)
            let found = text.commitment(frames: frames, window: window, silentFrom: frames)
            #expect(found.frames * 4 >= window && found.frames <= frames, "\(tokens) \(found)")
            let staying = text.pieces.dropFirst(found.pieces)
            #expect(staying.allSatisfy { $0.start >= found.frames }, "what stays still has its sound")
            #expect(text.pieces.prefix(found.pieces).allSatisfy { ($0.end ?? found.frames) <= found.frames })
        }
    }
}
