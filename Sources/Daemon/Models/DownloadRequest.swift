import Files
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    @preconcurrency import FoundationNetworking
#endif

/// One HTTP request of a ``ModelDownload``: asks for what the file does not hold yet, and appends what comes.
///
/// A server that honours `Range` answers 206 and the file grows; one that does not answers 200 with everything, and
/// the file starts again.
final class DownloadRequest: NSObject, URLSessionDataDelegate, Sendable {
    private let request: URLRequest
    private let idleTimeout: Double
    private let file: FileDescriptor
    private let offset: Int

    private struct State {
        var continuation: CheckedContinuation<Void, any Error>?
        var progress: (@Sendable (Int, Int?) -> Void)?
        /// What to throw once the task has ended, whatever the task itself says.
        var failure: (any Error)?
        var done = 0
        var total: Int?
    }
    private let state = Mutex(State())

    init(source: URL, idleTimeout: Double, file: FileDescriptor) throws {
        self.file = file
        self.idleTimeout = idleTimeout
        self.offset = try file.size
        var request = URLRequest(url: source)
        if offset > 0 { request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range") }
        // The digest is that of the bytes as they are, not of a compressed form that curl would unpack.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        request.setValue("auscult", forHTTPHeaderField: "User-Agent")
        self.request = request
    }

    /// - Parameter progress: bytes on disk, and of the whole file where known.
    /// - Throws: ``DownloadInterruption`` for what may go better next time, ``ServiceError`` for the rest.
    func run(progress: @escaping @Sendable (Int, Int?) -> Void) async throws {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = idleTimeout
        configuration.timeoutIntervalForResource = 7 * 24 * 3600
        configuration.urlCache = nil
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 1
        let session = URLSession(configuration: configuration, delegate: self, delegateQueue: queue)
        defer { session.finishTasksAndInvalidate() }
        let task = session.dataTask(with: request)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock {
                    $0.continuation = continuation
                    $0.progress = progress
                }
                task.resume()
            }
        } onCancel: {
            task.cancel()
        }
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        do {
            try begin(response)
            completionHandler(.allow)
        } catch {
            state.withLock { $0.failure = error }
            completionHandler(.cancel)
        }
    }

    /// Looks at the answer's head and brings the file to where the body begins.
    private func begin(_ response: URLResponse) throws {
        guard let response = response as? HTTPURLResponse else {
            throw ServiceError(.unavailable, "\(name) did not answer in HTTP")
        }
        let start: Int
        switch response.statusCode {
        case 200:
            start = 0
            try file.truncate(to: 0)
        case 206:
            guard contentRangeStart(response) == offset else {
                try file.truncate(to: 0)
                throw DownloadInterruption(reason: "the server sent another range than was asked for")
            }
            start = offset
        case 416:
            // Nothing lies past what we have: it is complete, or it is not the same file. The digest decides.
            throw RangeExhausted()
        case 404, 410:
            throw ServiceError(.notFound, "\(name) is not there (HTTP \(response.statusCode))")
        case 408, 429, 500...599:
            throw DownloadInterruption(reason: "the server answered HTTP \(response.statusCode)")
        default:
            throw ServiceError(.unavailable, "cannot download \(name): the server answered HTTP \(response.statusCode)")
        }
        try expect(start: start, length: Int(response.expectedContentLength))
    }

    /// Notes how much is to come, and refuses at once where the disk has no room for it.
    private func expect(start: Int, length: Int) throws {
        let total = length > 0 ? start + length : nil
        let progress = state.withLock { state in
            state.done = start
            state.total = total
            return state.progress
        }
        progress?(start, total)
        var disk = statvfs()
        if length > 0, fstatvfs(file.number, &disk) == 0, disk.f_blocks > 0 {
            let free = disk.f_bavail.multipliedReportingOverflow(by: disk.f_frsize)
            guard free.overflow || free.partialValue >= UInt(length) else {
                throw ServiceError(
                    .inputOutput,
                    "no room for \(file.path): \(length) bytes are to come, \(free.partialValue) are free")
            }
        }
    }

    private var name: String { request.url?.absoluteString ?? "the file" }

    /// The first byte of `Content-Range: bytes 100-199/200`.
    private func contentRangeStart(_ response: HTTPURLResponse) -> Int? {
        guard let range = response.value(forHTTPHeaderField: "Content-Range")?.lowercased(), range.hasPrefix("bytes ")
        else { return nil }
        return Int(range.dropFirst(6).prefix { $0 != "-" }.trimmingCharacters(in: .whitespaces))
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        guard state.withLock({ $0.failure == nil }) else { return }
        do {
            let end = state.withLock { $0.done }
            guard lseek(file.number, off_t(end), SEEK_SET) >= 0 || errno == ESPIPE else {
                throw FileError.cannotWrite(file.path)
            }
            try data.withUnsafeBytes(file.write)
            let (progress, done, total) = state.withLock { state in
                state.done += data.count
                return (state.progress, state.done, state.total)
            }
            progress?(done, total)
        } catch {
            state.withLock { $0.failure = error }
            dataTask.cancel()
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let (continuation, failure, done, total) = state.withLock { state in
            defer { (state.continuation, state.progress) = (nil, nil) }
            return (state.continuation, state.failure, state.done, state.total)
        }
        if failure is RangeExhausted {
            continuation?.resume()
        } else if let failure {
            continuation?.resume(throwing: failure)
        } else if let error {
            continuation?.resume(throwing: classify(error))
        } else if let total, done < total {
            continuation?.resume(
                throwing: DownloadInterruption(reason: "the connection ended \(total - done) bytes early"))
        } else {
            continuation?.resume()
        }
    }

    private func classify(_ error: any Error) -> any Error {
        switch (error as? URLError)?.code {
        case .cancelled: ServiceError(.cancelled, "the download was stopped; run the same command to resume")
        case .badURL, .unsupportedURL:
            ServiceError(.invalidArgument, "cannot download from \(name): not an address that can be loaded")
        case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate:
            ServiceError(.unavailable, "cannot download \(name): \(error.localizedDescription)")
        default: DownloadInterruption(reason: error.localizedDescription)
        }
    }
}

/// The server has nothing past what the file holds.
private struct RangeExhausted: Error {}
