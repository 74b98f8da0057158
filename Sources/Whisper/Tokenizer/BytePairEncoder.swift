/// Turns bytes into token ids by merging neighbours, the lowest rank first, as tiktoken does.
struct BytePairEncoder: Sendable {
    private let ranks: [ArraySlice<UInt8>: Int]

    /// - Throws: ``WhisperError`` (`dataLoss`) where a byte has no token of its own: its text could not be encoded.
    init(tokens: [[UInt8]]) throws {
        ranks = Dictionary(tokens.enumerated().map { ($1[...], $0) }, uniquingKeysWith: min)
        for byte in UInt8.min...UInt8.max where ranks[[byte]] == nil {
            throw WhisperError(.dataLoss, "the vocabulary has no token for the single byte \(byte)")
        }
    }

    /// The id of the token that is exactly `bytes`.
    func id(of bytes: ArraySlice<UInt8>) -> Int? { ranks[bytes] }

    /// Appends the ids of one piece of text.
    ///
    /// Of all neighbours whose joint bytes are a token, the pair of the lowest rank merges first, and the
    /// leftmost of equals. With a heap this takes O(n log n), whatever the piece.
    func encode(_ piece: ArraySlice<UInt8>, into ids: inout [Int]) {
        if let id = ranks[piece] { return ids.append(id) }
        var merging = Merging(piece, ranks)
        merging.run()
        var start = piece.startIndex
        while start < piece.endIndex {
            let end = merging.end(of: start)
            // Every part is a single byte or was looked up when it was merged.
            if let id = ranks[piece[start..<end]] { ids.append(id) }
            start = end
        }
    }
}

/// One piece while its parts merge: a linked list of parts, and a heap of the pairs that could.
private struct Merging {
    private struct Pair {
        var rank: Int
        var start: Int
        var end: Int
        static func < (a: Pair, b: Pair) -> Bool { (a.rank, a.start) < (b.rank, b.start) }
    }

    private let piece: ArraySlice<UInt8>
    private let ranks: [ArraySlice<UInt8>: Int]
    /// For the part that starts at byte i: where it ends, and where the part before it starts. A byte that starts no
    /// part has end 0.
    private var ends: [Int]
    private var before: [Int]
    private var heap: [Pair] = []

    init(_ piece: ArraySlice<UInt8>, _ ranks: [ArraySlice<UInt8>: Int]) {
        self.piece = piece
        self.ranks = ranks
        ends = Array(1...max(piece.count, 1))
        before = Array(-1..<max(piece.count - 1, 0))
    }

    func end(of start: Int) -> Int { piece.startIndex + ends[start - piece.startIndex] }

    mutating func run() {
        for start in 0..<piece.count { pushPair(at: start) }
        while let pair = popLowest() {
            // A pair whose parts have merged otherwise since it was pushed is stale.
            guard ends[pair.start] != 0, ends[pair.start] < piece.count, ends[ends[pair.start]] == pair.end else {
                continue
            }
            let middle = ends[pair.start]
            ends[middle] = 0
            ends[pair.start] = pair.end
            if pair.end < piece.count { before[pair.end] = pair.start }
            pushPair(at: pair.start)
            if before[pair.start] >= 0 { pushPair(at: before[pair.start]) }
        }
    }

    private mutating func pushPair(at start: Int) {
        let middle = ends[start]
        guard middle < piece.count else { return }
        let bytes = piece[piece.startIndex + start..<piece.startIndex + ends[middle]]
        guard let rank = ranks[bytes] else { return }
        heap.append(Pair(rank: rank, start: start, end: ends[middle]))
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func popLowest() -> Pair? {
        guard let lowest = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return lowest }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] < heap[least] {
                least = child
            }
            guard least != parent else { return lowest }
            heap.swapAt(least, parent)
            parent = least
        }
    }
}
