import PluginKit

/// Frames of which all features' values are kept, for what needs values and labels together.
///
/// Kept are the frames with the smallest keys (see ``FrameMoment``), and of each sound as many as `perSound` even where they
/// are not among those: rare sounds have their share. Within one sound it is a uniform sample, so a frame stands for as
/// many as its sound has frames for each one kept. Where there are no more frames than places, all are kept and nothing
/// is estimated.
final class FrameSample {
    let features: Int
    let limit: Int
    let perSound: Int
    private(set) var keys: [UInt64] = []
    /// The number of the sound in each, or −1.
    private(set) var sounds: [Int32] = []
    /// Where each row lies in the chunks: a permutation of all places, so that rows get into an order without moving.
    private var places: [Int] = []
    /// Half precision, ``rowsOfChunk`` rows of all features each: what grows in one piece is twice in memory when it does.
    private var chunks: [Store<UInt16>] = []
    private static let rowsOfChunk = 256
    /// Frames that are offered with a larger key than these are not kept.
    private var cut = UInt64.max
    private var soundCuts: [Int32: UInt64] = [:]
    /// Rows that were left when it was shrunk.
    private var kept = 0

    var count: Int { keys.count }

    init(features: Int, limit: Int, perSound: Int) {
        self.features = features
        self.limit = limit
        self.perSound = perSound
    }

    /// All features in one row.
    func row(_ row: Int) -> UnsafeMutableBufferPointer<UInt16> { values(at: places[row]) }

    private func values(at place: Int) -> UnsafeMutableBufferPointer<UInt16> {
        let (chunk, index) = place.quotientAndRemainder(dividingBy: Self.rowsOfChunk)
        return chunks[chunk].slice(index * features, features)
    }

    func wants(_ key: UInt64, sound: Int32) -> Bool {
        key < cut || (sound >= 0 && key < soundCuts[sound, default: .max])
    }

    /// Makes a row for a frame, whose values are to be set.
    func append(_ key: UInt64, sound: Int32) -> Int {
        places.append(keys.count)
        keys.append(key)
        sounds.append(sound)
        if keys.count > chunks.count * Self.rowsOfChunk {
            chunks.append(Store(repeating: 0, count: Self.rowsOfChunk * features))
        }
        return keys.count - 1
    }

    /// Takes a row of another sample in, where it belongs.
    func append(_ row: Int, of other: FrameSample, sound: Int32) {
        guard wants(other.keys[row], sound: sound) else { return }
        _ = self.row(append(other.keys[row], sound: sound)).update(fromContentsOf: other.row(row))
    }

    /// Whether so many rows have gathered that it is worth to drop some.
    var isFull: Bool { count > max(kept, limit) + limit / 16 + 64 }

    /// Drops what no rule keeps, and puts the rows in the order of their keys.
    func shrink() {
        let order = keys.indices.sorted { keys[$0] < keys[$1] }
        var ofSound: [Int32: Int] = [:]
        var staying: [Int] = []
        cut = .max
        soundCuts = [:]
        for (rank, row) in order.enumerated() {
            let sound = sounds[row]
            let place = ofSound[sound, default: 0]
            ofSound[sound] = place + 1
            if rank == limit { cut = keys[row] }
            // Sounds with fewer frames than their share have no cut, and go on taking any.
            if sound >= 0, place == perSound { soundCuts[sound] = keys[row] }
            if rank < limit || (sound >= 0 && place < perSound) { staying.append(row) }
        }
        reorder(staying)
        kept = count
    }

    /// Keeps these rows, in this order. Only those move that lie behind the places that so many take, to places that became
    /// free: no more than were dropped.
    private func reorder(_ order: [Int]) {
        let count = order.count
        var isTaken = [Bool](repeating: false, count: count)
        for row in order where places[row] < count { isTaken[places[row]] = true }
        var free = isTaken.indices.filter { !isTaken[$0] }
        places = order.map { row in
            guard places[row] >= count, let place = free.popLast() else { return places[row] }
            _ = values(at: place).update(fromContentsOf: values(at: places[row]))
            return place
        }
        keys = order.map { keys[$0] }
        sounds = order.map { sounds[$0] }
        chunks.removeLast(chunks.count - (count + Self.rowsOfChunk - 1) / Self.rowsOfChunk)
    }

    /// How many rows each sound has; of −1 those without one.
    var counts: [Int32: Int] { sounds.reduce(into: [:]) { $0[$1, default: 0] += 1 } }
}
