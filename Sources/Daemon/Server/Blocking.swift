import NIOPosix

/// Runs work that reads files and may take a while on a thread where it holds nobody up.
func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await NIOThreadPool.singleton.runIfActive(body)
}
