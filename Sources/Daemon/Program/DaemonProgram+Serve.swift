import Dispatch
import Files
import Foundation
import Logging
import Synchronization

extension DaemonProgram {
    /// Serves until a signal, a Stop call or idleness ends it.
    package static let serve: Serve = { configuration in
        signal(SIGPIPE, SIG_IGN)
        // A file past the process's limit is an error to its writer, and not the end of all.
        signal(SIGXFSZ, SIG_IGN)
        // Read once, when the first kernel runs.
        if configuration.threads > 0 { setenv("AUSCULT_THREADS", String(configuration.threads), 1) }
        let logger = logger(configuration)
        let notifier = try SystemdNotifier()
        let server = AuscultServer(configuration, logger: logger)
        let signals = StopSignals(logger) { server.requestStop() }
        try await server.start()
        try? notifier.ready(status: "serving at \(server.socketPath)")
        let alive = Task { try await notifier.keepAlive() }
        await server.waitUntilStopped {
            try? notifier.stopping(status: "finishing what runs")
        }
        alive.cancel()
        withExtendedLifetime(signals) {}
    }

    private static func logger(_ configuration: Configuration) -> Logger {
        let isJournal = LogBackend.isJournal()
        return Logger(label: "auscultd") { label in
            LogBackend(
                label: label, level: configuration.logLevel, format: configuration.logFormat, isJournal: isJournal)
        }
    }
}

/// A signal that came before Dispatch had taken it over; 0 for none. Written by a signal handler, so it is no more than a word.
private let earlySignal = Atomic<Int32>(0)

/// SIGTERM, SIGINT and SIGHUP stop the daemon in good order; a second one ends it at once.
private final class StopSignals: @unchecked Sendable {
    // Sendable: the sources are written before the initialiser returns, and only kept afterwards.
    private var sources: [any DispatchSourceSignal] = []
    private let seen = Atomic(false)

    /// From the return on no signal is lost, and none that came meanwhile.
    init(_ logger: Logger, stop: @escaping @Sendable () -> Void) {
        let names = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT"), (SIGHUP, "SIGHUP")]
        let isRegistered = DispatchSemaphore(value: 0)
        for (number, name) in names {
            // Dispatch takes a signal over some time after its source is activated.
            signal(number) { earlySignal.store($0, ordering: .relaxed) }
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
            source.setEventHandler { [weak self] in
                guard let self, !self.seen.exchange(true, ordering: .relaxed) else {
                    logger.warning("\(name) again: ending at once")
                    PendingFile.discardAll()
                    _exit(128 + number)
                }
                logger.notice("\(name): stopping")
                stop()
            }
            source.setRegistrationHandler { isRegistered.signal() }
            source.activate()
            sources.append(source)
        }
        for _ in names { isRegistered.wait() }
        let early = earlySignal.load(ordering: .relaxed)
        guard early != 0, !seen.exchange(true, ordering: .relaxed) else { return }
        logger.notice("\(names.first { $0.0 == early }?.1 ?? "signal \(early)"): stopping")
        stop()
    }
}
