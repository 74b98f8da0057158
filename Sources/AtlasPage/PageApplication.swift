import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// What serves a router to browsers on this machine.
struct PageApplication {
    /// Connections at a time; others wait until one of these ends.
    static let mostConnections = 256

    let token: PageToken
    /// The page's own, below the token: "atlas".
    let folder: String
    var patience = RequestDeadline.Patience()

    /// Serves until the task is cancelled.
    /// - Parameters:
    ///   - port: 0 for one that is free.
    ///   - ready: is called with the page's address once it is served.
    /// - Throws: what the system says where the port is taken.
    func run(
        _ router: Router<BasicRequestContext>, port: Int, ready: @escaping @Sendable (String) async -> Void
    ) async throws {
        var logger = Logger(label: "auscult.\(folder).page")
        logger.logLevel = .critical
        let application = Application(
            router: router,
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [RequestDeadline(patience)])),
            configuration: ApplicationConfiguration(
                address: .hostname("127.0.0.1", port: port), reuseAddress: true,
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections)),
            onServerRunning: { [token, folder] channel in
                await ready("http://127.0.0.1:\(channel.localAddress?.port ?? port)/\(token.text)/\(folder)/")
            }, logger: logger)
        try await application.runService(gracefulShutdownSignals: [])
    }
}

extension Router<BasicRequestContext> {
    /// Serves a page's own files at `/TOKEN/FOLDER/`; what pages share lies in `/TOKEN/shared/` once.
    func add(_ files: ServedFiles, at page: RouterGroup<BasicRequestContext>) {
        page.get("/") { request, _ in
            // What the page names is beside it, so its own address must be a folder's.
            guard request.uri.path.hasSuffix("/") else { return Response.redirect(to: request.uri.path + "/") }
            return try files.answer("index.html")
        }
        page.get("{file}") { _, context in try files.answer(try context.parameters.require("file")) }
    }

    func addSharedFiles(_ token: PageToken) {
        get("\(token.text)/shared/{file}") { _, context in
            try ServedFiles.atlas.answer("../shared/\(try context.parameters.require("file"))")
        }
    }
}

extension ServedFiles {
    func answer(_ name: String) throws -> Response {
        guard let file = file(name) else { throw HTTPError(.notFound) }
        return PageAnswer.bytes(file.bytes, file.type)
    }
}
