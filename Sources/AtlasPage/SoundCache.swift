import Synchronization

/// Sounds that were made lately, so that a player that seeks does not have them made again.
///
/// Two requests for the same one may both make it; the later one stays.
final class SoundCache: Sendable {
    private struct Kept {
        var sounds: [String: [UInt8]] = [:]
        /// The one that was used last is at the end.
        var order: [String] = []
        var bytes = 0

        mutating func use(_ name: String) {
            order.removeAll { $0 == name }
            order.append(name)
        }

        mutating func keep(_ name: String, _ sound: [UInt8], _ greatestBytes: Int) {
            bytes += sound.count - (sounds[name]?.count ?? 0)
            sounds[name] = sound
            use(name)
            while bytes > greatestBytes, order.count > 1 {
                bytes -= sounds.removeValue(forKey: order.removeFirst())?.count ?? 0
            }
        }
    }
    private let kept = Mutex(Kept())
    private let greatestBytes: Int

    init(greatestBytes: Int = 64 << 20) { self.greatestBytes = greatestBytes }

    func get(_ name: String, make: () async throws -> [UInt8]) async throws -> [UInt8] {
        let found = kept.withLock { kept in
            if kept.sounds[name] != nil { kept.use(name) }
            return kept.sounds[name]
        }
        if let found { return found }
        let made = try await make()
        kept.withLock { $0.keep(name, made, greatestBytes) }
        return made
    }
}
