import Foundation
import Synchronization

/// A folder of its own for one test, removed with everything in it when the value goes.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        path = (NSTemporaryDirectory() as NSString).appendingPathComponent("auscult-test-\(UUID().uuidString)")
        side = path + ".side"
        // Others may pass through the first, for what is shared with them below it; the second holds sockets.
        for (folder, mode) in [(path, 0o711), (side, 0o700)] {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: mode])
        }
    }

    deinit {
        for ending in endings.withLock({ Array($0.values) }) { ending() }
        for folder in [path, side] { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// A folder beside it, for what the processes of a test need and its assertions do not count: sockets, logs.
    public let side: String
    private let endings = Mutex<[String: @Sendable () -> Void]>([:])

    /// Runs `body` before the folder goes; once for each `name`.
    public func atEnd(_ name: String, _ body: @escaping @Sendable () -> Void) {
        endings.withLock { endings in
            if endings[name] == nil { endings[name] = body }
        }
    }

    /// The path of `name` inside.
    public func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// Writes `bytes` into the file `name`, and returns its path.
    @discardableResult
    public func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
        return self(name)
    }

    /// All names inside, hidden ones too, sorted.
    public func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}
