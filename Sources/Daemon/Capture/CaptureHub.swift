import CaptureChannel
import Foundation
import Synchronization

/// The sound inputs that somebody listens to: each is captured once, for all its listeners, as long as there is one.
final class CaptureHub: Sendable {
    /// Inputs at a time. One that is named in several ways is several, each with a process of its own.
    static let most = 16

    private let sources = Mutex<[String: CaptureSource]>([:])

    /// The inputs of this machine. Blocks.
    /// - Throws: ``ServiceError`` (`unavailable`) where they cannot be listed.
    static func devices() throws -> [CaptureDevice] {
        let process = try CaptureProcess(["list"])
        var devices: [CaptureDevice] = []
        let limit = ContinuousClock.now + .seconds(10)
        while .now < limit {
            switch process.read(milliseconds: 500) {
            case .records(let records):
                for record in records {
                    if case .device(let device) = record { devices.append(device) }
                    if case .failed(let reason) = record { throw ServiceError(.unavailable, reason) }
                }
            case .nothing: continue
            case .ended: return devices
            }
        }
        throw ServiceError(.unavailable, "the sound inputs could not be listed within 10 s")
    }

    /// What an input gives from now on. Whoever reads slowly loses the oldest, which then is a gap.
    /// - Parameter device: its number, its name, or a part of it; empty for the default. With ``most`` inputs that others listen to, it
    ///   ends at once with a ``ServiceError`` (`resourceExhausted`).
    func listen(to device: String) -> AsyncThrowingStream<CaptureNews, any Error> {
        let (news, feed) = AsyncThrowingStream.makeStream(
            of: CaptureNews.self, bufferingPolicy: .bufferingNewest(CaptureSource.mostWaiting))
        let id = UUID()
        let hasRoom = sources.withLock { sources in
            if sources[device]?.add(id, feed) == true { return true }
            guard sources[device] != nil || sources.count < Self.most else { return false }
            let source = CaptureSource(device)
            _ = source.add(id, feed)
            sources[device] = source
            source.start()
            return true
        }
        guard hasRoom else {
            feed.finish(
                throwing: ServiceError(
                    .resourceExhausted, "\(Self.most) sound inputs are listened to already; no other can be"))
            return news
        }
        feed.onTermination = { [weak self] _ in
            self?.sources.withLock { sources in
                if sources[device]?.remove(id) == true { sources[device] = nil }
            }
        }
        return news
    }
}

/// What becomes of an input.
enum CaptureNews: Sendable {
    case source(LiveSource)
    case sound(CapturedSound)
}

struct CapturedSound: Sendable {
    let samples: [Int16]
    /// When the first was captured, in nanoseconds since 1970.
    let captured: Int64
    /// Its number among the input's samples, those lost included.
    let position: Int
    /// Why samples before it are missing, where they are.
    let reason: String
}
