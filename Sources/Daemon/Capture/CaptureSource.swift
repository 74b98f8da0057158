import Audio
import CaptureChannel
import Foundation
import Synchronization

/// One input and its listeners. A thread of its own reads what the helper says and starts it again when it ends or falls silent.
final class CaptureSource: Sendable {
    /// Pieces of some milliseconds that wait for a listener: seconds of sound.
    static let mostWaiting = 512
    /// Without a sample for so long, the helper is taken to hang.
    private static let patience = Duration.seconds(2)
    private static let patienceAtStart = Duration.seconds(10)
    private static let pauses = [0.2, 0.5, 1, 2, 4]

    typealias Feed = AsyncThrowingStream<CaptureNews, any Error>.Continuation

    private struct State {
        var listeners: [UUID: Feed] = [:]
        var hasEnded = false
        /// What those who come later are told first.
        var isOpen: LiveSource?
    }

    private let device: String
    private let state = Mutex(State())

    init(_ device: String) { self.device = device }

    /// - Returns: false where it has ended.
    func add(_ id: UUID, _ feed: Feed) -> Bool {
        state.withLock { state in
            guard !state.hasEnded else { return false }
            state.listeners[id] = feed
            if let source = state.isOpen { feed.yield(.source(source)) }
            return true
        }
    }

    /// - Returns: whether nobody is left, so that it has ended.
    func remove(_ id: UUID) -> Bool {
        state.withLock { state in
            state.listeners[id] = nil
            if state.listeners.isEmpty { state.hasEnded = true }
            return state.hasEnded
        }
    }

    func start() {
        Thread.detachNewThread { [self] in
            do { try capture() } catch {
                let listeners = state.withLock { state in
                    state.hasEnded = true
                    return state.listeners
                }
                for feed in listeners.values { feed.finish(throwing: error) }
            }
        }
    }

    private var hasEnded: Bool { state.withLock(\.hasEnded) }

    private func tell(_ news: CaptureNews) {
        let listeners = state.withLock { state in
            if case .source(let source) = news { state.isOpen = source.lost == nil ? source : nil }
            return state.listeners
        }
        for feed in listeners.values { feed.yield(news) }
    }

    // MARK: - The thread

    private struct Progress {
        /// Samples that came or were lost.
        var position = 0
        /// When the next would have been captured; nil before the first.
        var next: Int64?
        /// Why samples are missing before the next one.
        var reason = ""
        var wasOpen = false
        var failures = 0
    }

    private func capture() throws {
        var progress = Progress()
        while !hasEnded {
            let reason: String
            do { reason = try run(&progress) } catch {
                guard progress.wasOpen else { throw error }
                reason = "\(error)"
            }
            if hasEnded { return }
            guard progress.wasOpen else { throw ServiceError(.unavailable, reason) }
            progress.reason = "the device was lost"
            tell(.source(LiveSource(device: device, lost: reason)))
            pause(Self.pauses[min(progress.failures, Self.pauses.count - 1)])
            progress.failures += 1
        }
    }

    private func pause(_ seconds: Double) {
        let limit = ContinuousClock.now + .seconds(seconds)
        while .now < limit, !hasEnded { usleep(50_000) }
    }

    /// One helper's life.
    /// - Returns: how it ended; anything where nobody listens any more.
    private func run(_ progress: inout Progress) throws -> String {
        let process = try CaptureProcess(["listen", device])
        var heard = ContinuousClock.now
        var isOpen = false
        while !hasEnded {
            switch process.read(milliseconds: 100) {
            case .records(let records):
                heard = .now
                for record in records {
                    switch record {
                    case .opened(let name, let rate, let latency):
                        isOpen = true
                        progress.wasOpen = true
                        tell(.source(LiveSource(device: name, sampleRate: rate, latency: latency)))
                    case .sound(let captured, let lost, let samples):
                        progress.failures = 0
                        take(samples, captured, Int(clamping: lost), &progress)
                    case .failed(let reason): return reason
                    case .device: break
                    }
                }
            case .nothing:
                let limit = isOpen ? Self.patience : Self.patienceAtStart
                if ContinuousClock.now - heard > limit { return "no sound came for \(limit)" }
            case .ended: return "the capture process has ended"
            }
        }
        return ""
    }

    private func take(_ samples: [Int16], _ captured: Int64, _ lost: Int, _ progress: inout Progress) {
        progress.position += lost
        var reason = lost > 0 ? "overflow" : ""
        if !progress.reason.isEmpty, let next = progress.next {
            // Between two helpers nobody counted but the clock; something was lost in any case.
            let missing = Double(captured - next) * 1e-9 * Double(SampleBuffer.sampleRate)
            progress.position += max(1, Int(missing.rounded()))
            reason = progress.reason
        }
        progress.reason = ""
        tell(
            .sound(CapturedSound(samples: samples, captured: captured, position: progress.position, reason: reason)))
        progress.position += samples.count
        progress.next = captured &+ Int64(samples.count) &* (1_000_000_000 / Int64(SampleBuffer.sampleRate))
    }
}
