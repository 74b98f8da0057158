import Digests
import Files
import Foundation

/// What a download is doing.
public enum DownloadProgress: Sendable, Equatable {
    /// Bytes on disk and, where the server said, of the whole file.
    case receiving(done: Int, total: Int?)
    /// The connection broke; another attempt follows.
    case retrying(reason: String)
    /// All bytes are there; their SHA-256 is computed.
    case verifying
}

/// Loads a file over HTTP(S) to disk: resumed where an earlier attempt stopped, and kept only where its SHA-256 is
/// the one expected.
///
/// Bytes go to `DESTINATION.part` as they come, so memory stays small whatever the size. The file gets its name when
/// it is complete and verified. A broken connection or a full disk leaves the part for the next attempt; a wrong
/// digest removes it.
public struct ModelDownload: Sendable {
    public let source: URL
    public let destination: String
    public let sha256: String
    /// How often to connect again after a connection broke or the server was busy.
    public var retries = 3
    /// How long to wait before the first retry; each further one waits twice as long.
    public var retryDelay = Duration.seconds(1)
    /// How long a connection may stay silent, in seconds.
    public var idleTimeout = 60.0

    public init(from source: URL, to destination: String, sha256: String) {
        self.source = source
        self.destination = destination
        self.sha256 = sha256.lowercased()
    }

    var part: String { destination + ".part" }

    /// Runs the download to its end.
    /// - Throws: ``ServiceError``: `notFound` where the server has no such file, `unavailable` where it cannot be
    ///   reached or another process loads the same file, `dataLoss` for a wrong digest, `inputOutput` for a full
    ///   disk, `cancelled`.
    public func run(progress: @escaping @Sendable (DownloadProgress) -> Void = { _ in }) async throws {
        if try isComplete(progress) { return }
        let file = try FileDescriptor(part, O_RDWR | O_CREAT)
        guard try file.lock(waiting: false) else {
            throw ServiceError(.unavailable, "another process is downloading \(destination)")
        }
        // The session may hold on to the descriptor for a moment after its last word.
        defer { file.unlock() }
        let resumed = try file.size > 0
        do {
            try await receiveAll(into: file, progress)
        } catch {
            if try file.size == 0 { unlink(part) }
            throw error
        }
        if try verify(progress) { return try finish(file) }
        // A part that was resumed may have begun as another version of the file: once more from the start.
        guard resumed else { throw wrongDigest() }
        try file.truncate(to: 0)
        progress(.retrying(reason: "the resumed file does not have the expected SHA-256"))
        try await receiveAll(into: file, progress)
        guard try verify(progress) else { throw wrongDigest() }
        try finish(file)
    }

    /// Whether the file was there before, with the right digest.
    private func isComplete(_ progress: (DownloadProgress) -> Void) throws -> Bool {
        guard FileManager.default.fileExists(atPath: destination) else { return false }
        progress(.verifying)
        return try SHA256.hex(ofFiles: [destination]) == sha256
    }

    private func verify(_ progress: (DownloadProgress) -> Void) throws -> Bool {
        progress(.verifying)
        return try SHA256.hex(ofFiles: [part]) == sha256
    }

    private func finish(_ file: FileDescriptor) throws {
        try file.synchronize()
        guard rename(part, destination) == 0 else { throw FileError.cannotWrite(destination) }
    }

    private func wrongDigest() -> ServiceError {
        unlink(part)
        return ServiceError(
            .dataLoss,
            "\(source.absoluteString) does not have the SHA-256 \(sha256) that was expected; "
                + "what was downloaded has been removed")
    }

    private func receiveAll(into file: FileDescriptor, _ progress: @escaping @Sendable (DownloadProgress) -> Void)
        async throws
    {
        var delay = retryDelay
        var attempts = retries
        while true {
            let before = try file.size
            do {
                let request = try DownloadRequest(source: source, idleTimeout: idleTimeout, file: file)
                return try await request.run { progress(.receiving(done: $0, total: $1)) }
            } catch let error as DownloadInterruption {
                // An attempt that brought the file forward does not count.
                attempts = try file.size > before ? retries : attempts - 1
                guard attempts >= 0, retries > 0 else {
                    throw ServiceError(
                        .unavailable,
                        "cannot download \(source.absoluteString): \(error.reason); run the same command to resume")
                }
                progress(.retrying(reason: error.reason))
                try await Task.sleep(for: delay)
                delay = min(delay * 2, .seconds(30))
            }
        }
    }
}

/// A failure that another attempt may get over.
struct DownloadInterruption: Error {
    let reason: String
}
