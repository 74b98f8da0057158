import Dispatch
import Kernels
import Synchronization
import Whisper

/// What was captured in the encoder of the windows that were heard last, so that another analysis of the same recordings needs no pass:
/// who looks for one thing in them looks for the next soon.
///
/// A bound number of bytes is kept. A scan that brings more than that keeps its first windows: with the last ones, the next scan of the same
/// recordings would find nothing at its beginning, and put that in the place of what it would have found later. What is of other scans makes
/// room, the longest unused first; and all goes when nobody has asked for a while. A window with a good part of that number, as all patterns
/// have, is not kept.
final class KeptCaptures: Sendable {
    /// A window as a model heard it: the same where the same is captured.
    struct Window: Hashable, Sendable {
        /// The number of the model (``LoadedModel/number``): weights alone do not say how many heads share them.
        let model: UInt64
        /// SHA-256 of the log-mel's values, and its length.
        let mel: String
        let melFrames: Int
        let validFrames: Int
        /// Whether the padding's positions are captured as well.
        let allFrames: Bool
    }

    /// One scan's use of what is kept.
    struct Scan: Sendable {
        fileprivate let store: KeptCaptures
        fileprivate let number: UInt64

        /// What is to be captured of a window; nil where it is not all there.
        func captures(_ points: Set<HookPoint>, of window: Window) -> [HookPoint: CapturedTensor]? {
            store.captures(points, of: window, number)
        }

        func keep(_ captured: [CapturedTensor], of window: Window) { store.keep(captured, of: window, number) }
    }

    fileprivate struct Entry {
        var captures: [HookPoint: CapturedTensor] = [:]
        var bytes = 0
        /// Who asked last, and when.
        var scan: UInt64
        var use: UInt64
    }

    fileprivate struct State {
        var entries: [Window: Entry] = [:]
        var bytes = 0
        var scans: UInt64 = 0
        var uses: UInt64 = 0
        var lastUse = ContinuousClock.now
        /// The scan that has all of the room, as long as nobody else uses a window of it.
        var owner: UInt64?
        var isWatched = false
    }

    /// Bytes of captures that are kept at most; with 0 none is.
    let limit: Int
    private let patience: Duration
    private let state = Mutex(State())

    /// - Parameter patience: after so long without a use all is let go.
    init(limit: Int, patience: Duration = .seconds(60)) {
        self.limit = limit
        self.patience = patience
    }

    /// Bytes of the captures that are kept now.
    var bytes: Int { state.withLock { $0.bytes } }

    /// - Returns: nil where nothing is kept at all.
    func scan() -> Scan? {
        guard limit > 0 else { return nil }
        let number = state.withLock { state in
            state.scans += 1
            return state.scans
        }
        return Scan(store: self, number: number)
    }

    private func captures(
        _ points: Set<HookPoint>, of window: Window, _ scan: UInt64
    ) -> [HookPoint: CapturedTensor]? {
        state.withLock { state in
            guard let entry = state.entries[window] else { return nil }
            state.touch(window, scan)
            let found = entry.captures.filter { points.contains($0.key) }
            return found.count == points.count ? found : nil
        }
    }

    private func keep(_ captured: [CapturedTensor], of window: Window, _ scan: UInt64) {
        let isFirst = state.withLock { state in
            let new = captured.filter { state.entries[window]?.captures[$0.hook] == nil }
            let size = new.reduce(0) { $0 + $1.tensor.count * MemoryLayout<Float>.stride }
            guard !new.isEmpty, size <= limit / 8, state.makeRoom(for: size, within: limit, besides: scan, window)
            else { return false }
            var entry = state.entries[window] ?? Entry(scan: scan, use: 0)
            for capture in new { entry.captures[capture.hook] = capture }
            entry.bytes += size
            state.bytes += size
            state.entries[window] = entry
            state.touch(window, scan)
            defer { state.isWatched = true }
            return !state.isWatched
        }
        if isFirst { watch(for: patience) }
    }

    /// Lets all go when it has not been used for so long.
    private func watch(for time: Duration) {
        DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + time / .seconds(1)) { [weak self] in
            guard let self else { return }
            // Freed outside of the lock, since it takes a while, and before memory is given back.
            var gone: [Window: Entry] = [:]
            let left = state.withLock { [patience] state in
                let left = patience - (ContinuousClock.now - state.lastUse)
                guard left <= .zero else { return left }
                swap(&gone, &state.entries)
                (state.bytes, state.isWatched) = (0, false)
                return left
            }
            guard left <= .zero else { return watch(for: left) }
            gone = [:]
            IdleMemory.giveBack()
        }
    }
}

extension KeptCaptures.State {
    mutating func touch(_ window: KeptCaptures.Window, _ scan: UInt64) {
        uses += 1
        lastUse = .now
        if owner != scan { owner = nil }
        entries[window]?.scan = scan
        entries[window]?.use = uses
    }

    /// Lets windows of other scans go until so much more fits, and a little more than that: each time costs a search of all.
    /// - Returns: false where it does not fit even so; then nothing was let go.
    mutating func makeRoom(
        for size: Int, within limit: Int, besides scan: UInt64, _ window: KeptCaptures.Window
    ) -> Bool {
        guard bytes + size > limit else { return true }
        guard owner != scan else { return false }
        let others = entries.filter { $0.value.scan != scan && $0.key != window }
        guard bytes + size - others.values.reduce(0, { $0 + $1.bytes }) <= limit else {
            if others.isEmpty { owner = scan }
            return false
        }
        for (key, entry) in others.sorted(by: { $0.value.use < $1.value.use }) {
            if bytes + size <= limit - limit / 8 { break }
            entries[key] = nil
            bytes -= entry.bytes
        }
        return true
    }
}
