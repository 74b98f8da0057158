import Foundation

/// Waits until `descriptor` has something to read, or its end. It is not read, and may be of any kind.
/// - Throws: `CancellationError` as soon as the task is cancelled, also while nothing comes.
package func waitUntilReadable(_ descriptor: Int32) async throws {
    try Task.checkCancellation()
    let wake = try WakePipe()
    try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue.global(qos: .userInitiated).async {
                var waits = [
                    pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0),
                ]
                while poll(&waits, 2, -1) < 0, errno == EINTR {}
                if waits[1].revents != 0 {
                    continuation.resume(throwing: CancellationError())
                } else {
                    continuation.resume()
                }
            }
        }
    } onCancel: {
        wake.wake()
    }
}

/// The next bytes of `descriptor`, as many as there are and at most `most`; none at the end.
/// - Parameter name: what messages call it.
package func readNext(_ descriptor: Int32, most: Int, name: String) async throws -> [UInt8] {
    while true {
        try await waitUntilReadable(descriptor)
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: most) { buffer, initialized in
            count = read(descriptor, buffer.baseAddress, buffer.count)
            initialized = max(count, 0)
        }
        if count >= 0 { return bytes }
        guard errno == EINTR || errno == EAGAIN else {
            throw CommandError(.inputOutput, "cannot read \(name): \(String(cString: strerror(errno)))")
        }
    }
}

/// Ends a `poll`.
private final class WakePipe: Sendable {
    let reading: Int32
    private let writing: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw CommandError(.inputOutput, "cannot make a pipe: \(String(cString: strerror(errno)))")
        }
        (reading, writing) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    deinit {
        close(reading)
        close(writing)
    }

    func wake() {
        var byte: UInt8 = 0
        _ = write(writing, &byte, 1)
    }
}
