import Dispatch
import Files
import Foundation

/// Ends the process in good order when it is asked to: with Ctrl-C, by `kill`, or because the terminal goes.
enum Interruption {
    nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []  // written once, at start

    /// Call once, before any work.
    static func install() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // A signal that was ignored from the start (nohup) stays ignored.
            var current = sigaction()
            guard sigaction(number, nil, &current) == 0,
                unsafeBitCast(current.__sigaction_handler.sa_handler, to: Int.self)
                    != unsafeBitCast(SIG_IGN, to: Int.self)
            else { continue }
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
            source.setEventHandler { end(by: number) }
            source.activate()
            sources.append(source)
        }
    }

    /// Everything that is not complete goes; a download's part stays, to be resumed.
    private static func end(by number: Int32) -> Never {
        PendingFile.discardAll()
        Console.standard.error("\nauscult: interrupted\n")
        _exit(128 + number)
    }
}
