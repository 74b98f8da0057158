import Dispatch

/// Something that is done once, after a while, unless it is cancelled before.
final class Alarm: @unchecked Sendable {
    // Sendable: a source may be cancelled by any thread.
    private let timer: any DispatchSourceTimer

    /// The longest time that is waited for: three years.
    private static let longest = Duration.seconds(100_000_000)

    init(after duration: Duration, _ body: @escaping @Sendable () -> Void) {
        timer = DispatchSource.makeTimerSource()
        let (seconds, attoseconds) = min(duration, Self.longest).components
        timer.schedule(
            deadline: .now() + .nanoseconds(Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)))
        timer.setEventHandler(handler: body)
        timer.activate()
    }

    deinit { timer.cancel() }

    func cancel() { timer.cancel() }
}
