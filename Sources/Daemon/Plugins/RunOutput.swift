import Synchronization

/// Where the events of one run go, from any of its threads. Counts results.
final class RunOutput: Sendable {
    private let emit: @Sendable (RunEvent) throws -> Void
    private let count = Atomic<UInt64>(0)

    init(_ emit: @escaping @Sendable (RunEvent) throws -> Void) { self.emit = emit }

    /// Results that were told.
    var results: UInt64 { count.load(ordering: .relaxed) }

    func tell(_ event: RunEvent) throws {
        try emit(event)
        if case .result = event { count.wrappingAdd(1, ordering: .relaxed) }
    }

    /// A slow reader holds nobody else up.
    func tell(_ event: RunEvent, _ turn: EngineTurn) throws { try turn.suspended { try tell(event) } }

    /// Tells again what was told of recordings.
    func tell(_ state: PluginState, _ turn: EngineTurn) throws {
        try turn.suspended { try state.forEachEvent { _, event in try tell(event) } }
    }

    /// Sends a state, in pieces.
    func send(_ state: PluginState, _ turn: EngineTurn) throws {
        try turn.suspended {
            try state.write { bytes in
                for start in stride(from: 0, to: bytes.count, by: PluginResult.pieceBytes) {
                    let piece = bytes[start..<min(start + PluginResult.pieceBytes, bytes.count)]
                    try tell(.state(Array(piece)))
                }
            }
        }
    }
}

/// How far several workers are together. They tell it one at a time, so that it only rises.
final class WorkersProgress: Sendable {
    private let done = Mutex(0)

    /// Counts what a run before this one was through with.
    func advance(by count: Int) { done.withLock { $0 += count } }

    func next(_ tell: (Int) throws -> Void) rethrows {
        try done.withLock { done in
            done += 1
            try tell(done)
        }
    }
}
