import Whisper

/// A turn's checkpoints where decoding can only ask whether it is to stop, which it does before every token.
///
/// Without a turn it is the task's cancellation that counts. One run uses it, on its thread.
final class TurnProbe {
    private let turn: EngineTurn?
    private var stop: (any Error)?

    init(_ turn: EngineTurn?) { self.turn = turn }

    func isCancelled() -> Bool {
        guard let turn else { return Task.isCancelled }
        do {
            try turn.checkpoint()
            return false
        } catch {
            stop = error
            return true
        }
    }

    /// Runs `body`; where it was stopped by the turn, the turn's own error tells why.
    func run<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch let error as WhisperError where error.code == .cancelled {
            throw stop ?? error
        }
    }
}
