import Synchronization

/// The places of one memory that windows are put into in turn: one is filled while the plugin reads the other.
///
/// Any thread may ask for a place; whoever has one fills it alone.
final class WindowPlaces: Sendable {
    static let count = 2

    private struct State {
        /// nil until there was a window.
        var memory: WindowMemory?
        /// Bytes of each place.
        var capacity = 0
        var isUsed = [Bool](repeating: false, count: WindowPlaces.count)
    }

    private let state = Mutex(State())

    /// A place for a window of `size` bytes, which is its holder's until it is given back; nil where all are in use.
    func place(for size: Int) throws -> WindowPlace? {
        try state.withLock { state in
            if state.memory == nil || state.capacity < size {
                // Twice the last, so that windows that grow need few. Windows that lie in the old one keep it.
                state.capacity = PluginMemoryLayout.aligned(max(size, min(2 * state.capacity, WindowMemory.largest)))
                state.memory = try WindowMemory(capacity: Self.count * state.capacity)
                state.isUsed = [Bool](repeating: false, count: Self.count)
            }
            guard let memory = state.memory, let free = state.isUsed.firstIndex(of: false) else { return nil }
            state.isUsed[free] = true
            return WindowPlace(self, memory, index: free, start: free * state.capacity, bytes: state.capacity)
        }
    }

    fileprivate func giveBack(_ place: WindowPlace) {
        state.withLock { state in
            // Of a memory that was replaced nothing is used again.
            if state.memory === place.memory { state.isUsed[place.index] = false }
        }
    }
}

/// One place, until it is given back: at the latest when nobody has it any more.
// Sendable: one thread at a time uses it, the one that fills it and then the one that makes the call.
final class WindowPlace: PluginMemory, @unchecked Sendable {
    let memory: WindowMemory
    fileprivate let index: Int
    private let start: Int
    private let end: Int
    private let places: WindowPlaces
    private var isGivenBack = false
    /// Bytes from the memory's beginning to the end of what was put here.
    private(set) var size: Int

    fileprivate init(_ places: WindowPlaces, _ memory: WindowMemory, index: Int, start: Int, bytes: Int) {
        (self.places, self.memory, self.index) = (places, memory, index)
        (self.start, self.end, self.size) = (start, start + bytes, start)
    }

    deinit { giveBack() }

    /// - Returns: the offset from the memory's beginning, which is what the other side has.
    func append(_ bytes: UnsafeRawBufferPointer) throws -> UInt64 {
        let offset = PluginMemoryLayout.aligned(size)
        try memory.write(bytes, at: offset, end: end)
        size = offset + bytes.count
        return UInt64(offset)
    }

    /// Lets the next window have it.
    func giveBack() {
        guard !isGivenBack else { return }
        isGivenBack = true
        places.giveBack(self)
    }
}
