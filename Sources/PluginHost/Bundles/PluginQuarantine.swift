import Foundation
import Synchronization

/// Which plugins crashed of late: pauses before another start that double from crash to crash, and after too many
/// no start at all. A run that finishes clears it, and so does a newer library.
public final class PluginQuarantine: Sendable {
    private struct Record {
        var library: Date?
        var crashes: [ContinuousClock.Instant]
        var reason: String
    }

    /// Crashes within ``window`` seconds after which it is not started any more.
    public let most: Int
    public let window: Double
    /// Seconds before the start after the first crash.
    public let firstPause: Double
    public let longestPause: Double
    private let records = Mutex<[String: Record]>([:])

    public init(most: Int = 3, window: Double = 600, firstPause: Double = 0.25, longestPause: Double = 8) {
        self.most = max(1, most)
        self.window = window
        self.firstPause = firstPause
        self.longestPause = longestPause
    }

    /// Why `bundle` is not to be started for now; nil where it may be.
    public func problem(with bundle: PluginBundle) -> String? {
        records.withLock { records in
            guard let record = current(bundle, &records), record.crashes.count >= most else { return nil }
            return
                "it crashed \(record.crashes.count) times within \(Int(window)) s, the last time with: \(record.reason); "
                + "it is started again after \(Int(window)) s, or with a newer library"
        }
    }

    /// Seconds to wait before `bundle` is started.
    /// - Throws: ``PluginError`` (`quarantined`).
    package func pause(before bundle: PluginBundle) throws -> Double {
        if let problem = problem(with: bundle) {
            throw PluginError(.quarantined, "plugin \(bundle.id) is not started: \(problem)")
        }
        return records.withLock { records in
            guard let record = current(bundle, &records), let last = record.crashes.last else { return 0 }
            let pause = min(longestPause, firstPause * pow(2, Double(record.crashes.count - 1)))
            return max(0, (last + .seconds(pause) - ContinuousClock.now) / .seconds(1))
        }
    }

    package func crashed(_ bundle: PluginBundle, _ error: PluginError) {
        records.withLock { records in
            var record =
                current(bundle, &records) ?? Record(library: Self.changed(bundle.library), crashes: [], reason: "")
            record.crashes.append(.now)
            record.reason = error.message
            records[bundle.library] = record
        }
    }

    package func succeeded(_ bundle: PluginBundle) { records.withLock { _ = $0.removeValue(forKey: bundle.library) } }

    /// What is still held against it.
    private func current(_ bundle: PluginBundle, _ records: inout [String: Record]) -> Record? {
        guard var record = records[bundle.library] else { return nil }
        let oldest = ContinuousClock.now - .seconds(window)
        record.crashes.removeAll { $0 < oldest }
        guard !record.crashes.isEmpty, record.library == Self.changed(bundle.library) else {
            records[bundle.library] = nil
            return nil
        }
        records[bundle.library] = record
        return record
    }

    private static func changed(_ path: String) -> Date? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
    }
}
