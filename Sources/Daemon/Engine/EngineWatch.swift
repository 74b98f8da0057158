import Foundation
import Logging
import Synchronization

/// Says when a call makes no progress: one that has the engine and came to no checkpoint for a long time.
///
/// It has a thread of its own, made at the start: what it is to tell of may be that the system gives no more.
final class EngineWatch: Sendable {
    /// How long a call may compute between two checkpoints before that is told; told again at twice the time, and so on.
    static let patience = Duration.seconds(60)

    struct Sign {
        var since: ContinuousClock.Instant
        var client: ClientID
        var told = 1.0
    }

    private let signs = Mutex<[FairSchedule.Ticket: Sign]>([:])
    private let patience: Duration

    init(patience: Duration = EngineWatch.patience) { self.patience = patience }

    /// The call computes: it has just begun to, or came to a checkpoint.
    func saw(_ turn: EngineTurn) {
        let now = ContinuousClock.now
        signs.withLock { $0[turn.ticket] = Sign(since: now, client: turn.client) }
    }

    /// The call computes no more: it waits for others, or has ended.
    func left(_ turn: EngineTurn) { signs.withLock { _ = $0.removeValue(forKey: turn.ticket) } }

    /// What has stood still for too long and was not told yet, a sentence each.
    func reports(now: ContinuousClock.Instant = .now) -> [String] {
        signs.withLock { signs in
            var reports: [String] = []
            for (ticket, sign) in signs.sorted(by: { $0.key < $1.key }) {
                let stood = sign.since.duration(to: now)
                guard stood >= patience * sign.told else { continue }
                signs[ticket]?.told = max(sign.told * 2, stood / patience)
                reports.append(
                    "a call of \(sign.client) makes no progress: it has had the engine for \(Int(stood / .seconds(1))) s without a "
                        + "checkpoint")
            }
            return reports
        }
    }

    /// Looks every `interval` seconds, for as long as the value lives.
    /// - Parameter others: what else stands still, a sentence each; told once a minute at most.
    func begin(
        _ logger: Logger, interval: Double = 5, others: @escaping @Sendable () -> [String] = { [] }
    ) throws {
        try EngineThread.start { [weak self] in
            var quietUntil = ContinuousClock.now
            while true {
                Thread.sleep(forTimeInterval: interval)
                guard let self else { return }
                for report in self.reports() { logger.warning("\(report)") }
                guard ContinuousClock.now >= quietUntil else { continue }
                let lost = others()
                for report in lost { logger.warning("\(report)") }
                if !lost.isEmpty { quietUntil = .now + self.patience }
            }
        }
    }
}
