import Dispatch
import Files
import Foundation
import Synchronization

/// Ends the process in good order when it is asked to: with Ctrl-C, by `kill`, or because the terminal goes.
///
/// The first signal cancels the command, which tells the daemon and waits a moment for it to put things away. A second
/// one, or that moment's end, ends the process at once. One that follows on its heels is the same: timeout(1) sends its own twice,
/// to the process and to its group.
package enum Interruption {
    nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []  // written once, at start
    /// The signal that came; 0 for none.
    private static let received = Atomic<Int32>(0)
    /// When it came, in nanoseconds.
    private static let receivedAt = Atomic<UInt64>(0)
    /// Signals that are less apart are one.
    private static let heel: UInt64 = 250_000_000
    /// What a command may take to end after it was cancelled.
    private static let patience = DispatchTimeInterval.milliseconds(1500)

    /// Call once, before any work.
    /// - Parameter cancel: called at the first signal, on any thread.
    package static func install(_ cancel: @escaping @Sendable () -> Void) {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // A signal that was ignored from the start (nohup) stays ignored.
            var current = sigaction()
            guard sigaction(number, nil, &current) == 0,
                unsafeBitCast(current.__sigaction_handler.sa_handler, to: Int.self)
                    != unsafeBitCast(SIG_IGN, to: Int.self)
            else { continue }
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
            source.setEventHandler {
                let now = DispatchTime.now().uptimeNanoseconds
                guard received.compareExchange(expected: 0, desired: number, ordering: .relaxed).exchanged else {
                    let first = receivedAt.load(ordering: .relaxed)
                    if first == 0 || now < first + heel { return }
                    end(by: number)
                }
                receivedAt.store(now, ordering: .relaxed)
                cancel()
                DispatchQueue.global(qos: .userInitiated).asyncAfter(deadline: .now() + patience) { end(by: number) }
            }
            source.activate()
            sources.append(source)
        }
    }

    /// Ends the process where a signal came; call when the command has ended.
    package static func endIfReceived() {
        let number = received.load(ordering: .relaxed)
        if number != 0 { end(by: number) }
    }

    /// Everything that is not complete goes.
    private static func end(by number: Int32) -> Never {
        PendingFile.discardAll()
        Console.standard.error("\nauscult: interrupted\n")
        _exit(128 + number)
    }
}
