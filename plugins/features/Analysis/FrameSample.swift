import PluginKit

/// Frames of which all features' values are kept, for what needs values and labels together.
///
/// Kept are the frames with the smallest keys (see ``Moment``), and of each sound as many as `perSound` even where they
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
    func row(_ row: Int) -> UnsafeMutableBufferPointer<UInt16> {
        let (chunk, place) = row.quotientAndRemainder(dividingBy: Self.rowsOfChunk)
        return chunks[chunk].slice(place * features, features)
    }

    func wants(_ key: UInt64, sound: Int32) -> Bool {
        key < cut || (sound >= 0 && key < soundCuts[sound, default: .max])
    }

    /// Makes a row for a frame, whose values are to be set.
    func append(_ key: UInt64, sound: Int32) -> Int {
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

    /// Puts the rows into an order, in place: a second table of this size would be the largest thing in the process.
    private func reorder(_ order: [Int]) {
        // First those that stay go to the front, in the order in which they lie; then cycles are followed.
        let staying = order.sorted()
        for (place, row) in staying.enumerated() where place != row { copy(row, to: place) }
        let position = Dictionary(uniqueKeysWithValues: staying.enumerated().map { ($1, $0) })
        var source = order.compactMap { position[$0] }
        keys = order.map { keys[$0] }
        sounds = order.map { sounds[$0] }
        for start in source.indices where source[start] != start {
            let held = Array(row(start))
            var place = start
            while source[place] != start {
                let next = source[place]
                copy(next, to: place)
                source[place] = place
                place = next
            }
            _ = row(place).update(fromContentsOf: held)
            source[place] = place
        }
        chunks.removeLast(chunks.count - (keys.count + Self.rowsOfChunk - 1) / Self.rowsOfChunk)
    }

    private func copy(_ source: Int, to place: Int) { _ = row(place).update(fromContentsOf: row(source)) }

    /// How many rows each sound has; of −1 those without one.
    var counts: [Int32: Int] { sounds.reduce(into: [:]) { $0[$1, default: 0] += 1 } }
}
