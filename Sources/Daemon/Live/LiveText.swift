/// What one step made of the sound that is not committed yet, in encoder frames from its beginning.
package struct LiveText: Equatable {
    package struct Piece: Equatable {
        package var start: Int
        /// Nil where the text ran out before a timestamp closed it.
        package var end: Int?
        package var tokens: [Int]

        package init(start: Int, end: Int?, tokens: [Int]) {
            self.start = start
            self.end = end
            self.tokens = tokens
        }
    }

    package var pieces: [Piece] = []

    package init() {}

    /// - Parameters:
    ///   - tokens: as decoded, with timestamps from `timestampBegin` on.
    ///   - frames: how much sound there is; timestamps beyond it are in the padding, and mean its end.
    package init(tokens: [Int], timestampBegin: Int, frames: Int) {
        var start = 0
        var text: [Int] = []
        for token in tokens {
            guard token >= timestampBegin else {
                text.append(token)
                continue
            }
            let time = min(token - timestampBegin, frames)
            if !text.isEmpty { pieces.append(Piece(start: start, end: max(time, start), tokens: text)) }
            text = []
            start = time
        }
        if !text.isEmpty { pieces.append(Piece(start: start, end: nil, tokens: text)) }
    }

    /// The beginning of `text`, in whole words, that `before` has as well: what two looks one after the other agree on (LocalAgreement-2
    /// of whisper_streaming, arXiv 2307.14743).
    package static func agreement(_ before: String, _ text: String) -> String {
        let old = before.split(separator: " "), new = text.split(separator: " ")
        let count = zip(old, new).prefix { $0 == $1 }.count
        guard count > 0 else { return "" }
        return String(text[..<new[count - 1].endIndex])
    }

    /// What follows of a hypothesis when its beginning, word for word or other words in its place, became final.
    package static func rest(of hypothesis: String, after written: String) -> String {
        let count = written.split(separator: " ").count
        return hypothesis.split(separator: " ").dropFirst(count).map { " " + $0 }.joined()
    }

    /// How much of the text is final, and where the sound after it begins.
    package struct Commitment: Equatable {
        /// So many pieces, from the first.
        package var pieces: Int
        /// The first frame that stays.
        package var frames: Int

        package init(pieces: Int, frames: Int) {
            self.pieces = pieces
            self.frames = frames
        }
    }

    /// The rule by which text becomes final.
    ///
    /// - Settled: a piece has its end, and at least a second of sound follows, in which there is either another piece or
    ///   silence. The sound then goes on from that end.
    /// - Full: more than four fifths of the window are taken. What is settled by the rule above goes if that frees a
    ///   quarter of the window; otherwise everything becomes final at the sound's end, and a word may be cut in two.
    ///   Where no words were found at all, all but the last second goes.
    ///
    /// Sound is passed over in no other way but by the session's rule for silence, so between two segments lies only
    /// what the model found no words in.
    /// - Parameters:
    ///   - frames: how much sound there is.
    ///   - window: how much the encoder takes.
    ///   - silentFrom: the frame from which on there is silence to the end; `frames` where there is none.
    package func commitment(frames: Int, window: Int, silentFrom: Int) -> Commitment {
        let second = 50
        var settled = Commitment(pieces: 0, frames: 0)
        for (index, piece) in pieces.enumerated() {
            guard let end = piece.end, frames - end >= second else { break }
            if index + 1 < pieces.count || silentFrom <= end {
                settled = Commitment(pieces: index + 1, frames: end)
            }
        }
        guard frames * 5 > window * 4 else { return settled }
        if settled.frames * 4 >= window { return settled }
        if pieces.isEmpty { return Commitment(pieces: 0, frames: frames - min(second, window / 2)) }
        return Commitment(pieces: pieces.count, frames: frames)
    }
}
