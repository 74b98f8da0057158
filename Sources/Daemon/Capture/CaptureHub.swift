import CaptureChannel
import Foundation
import Synchronization

/// The sound inputs that somebody listens to: each is captured once, for all its listeners, as long as there is one.
final class CaptureHub: Sendable {
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
    /// - Parameter device: its number, its name, or a part of it; empty for the default.
    func listen(to device: String) -> AsyncThrowingStream<CaptureNews, any Error> {
        let (news, feed) = AsyncThrowingStream.makeStream(
            of: CaptureNews.self, bufferingPolicy: .bufferingNewest(CaptureSource.mostWaiting))
        let id = UUID()
        sources.withLock { sources in
            let source = sources[device].flatMap { $0.add(id, feed) ? $0 : nil }
            if source == nil {
                let source = CaptureSource(device)
                _ = source.add(id, feed)
                sources[device] = source
                source.start()
            }
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
