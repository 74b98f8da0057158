import Atlas
import Foundation
import Hummingbird
import Logging
import NIOCore

/// Serves an atlas' page to browsers on this machine, and reads only.
///
///     GET /                       the page; its files beside it
///     GET /api/atlas              scans, hook points, kinds of labels
///     GET /api/features?q=&hook=&kind=&lift=&sort=&order=&page=&size=
///     GET /api/features/ID        a feature's card
///     GET /api/recordings/ID      what is heard in a recording, and the features that it excites
///     GET /sound/ID-FIRST-LAST.wav    a part of a recording, in milliseconds; ranges are honoured
public struct PageServer: Sendable {
    private let data: PageData
    private let makeSound: PageSoundMaker
    private let cache = SoundCache()

    public init(store: AtlasStore, makeSound: @escaping PageSoundMaker) {
        data = PageData(store: store)
        self.makeSound = makeSound
    }

    /// Serves until the task is cancelled.
    /// - Parameters:
    ///   - port: 0 for one that is free.
    ///   - ready: is called with the page's address once it is served.
    /// - Throws: what the system says where the port is taken.
    public func run(port: Int, ready: @escaping @Sendable (String) async -> Void) async throws {
        var logger = Logger(label: "auscult.atlas.page")
        logger.logLevel = .critical
        let application = Application(
            router: router(),
            configuration: ApplicationConfiguration(
                address: .hostname("127.0.0.1", port: port), reuseAddress: true),
            onServerRunning: { channel in
                await ready("http://127.0.0.1:\(channel.localAddress?.port ?? port)/")
            }, logger: logger)
        try await application.runService(gracefulShutdownSignals: [])
    }

    func router() -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: PageGuard())
        router.get("/") { _, _ in try page("index.html") }
        router.get("/{file}") { _, context in try page(try context.parameters.require("file")) }
        router.get("/shared/{file}") { _, context in try page("shared/\(try context.parameters.require("file"))") }
        router.get("/api/atlas") { [data] _, _ in PageAnswer.json(try data.about()) }
        router.get("/api/features") { [data] request, _ in
            var parameters: [String: String] = [:]
            for (key, value) in request.uri.queryParameters { parameters[String(key)] = String(value) }
            return PageAnswer.json(try data.features(try PageData.query(parameters)))
        }
        router.get("/api/features/{id}") { [data] _, context in
            PageAnswer.json(try data.card(try Self.id(context, "feature")))
        }
        router.get("/api/recordings/{id}") { [data] _, context in
            PageAnswer.json(try data.recording(try Self.id(context, "recording")))
        }
        router.get("/sound/{name}") { request, context in
            try await sound(try context.parameters.require("name"), range: request.headers[.range])
        }
        return router
    }

    private func page(_ name: String) throws -> Response {
        guard let file = AtlasFiles.file(name) else { throw HTTPError(.notFound) }
        return PageAnswer.bytes(file.bytes, file.type)
    }

    private func sound(_ name: String, range: String?) async throws -> Response {
        guard name.hasSuffix(".wav") else { throw HTTPError(.notFound) }
        let excerpt = try PageExcerpt(name: String(name.dropLast(4)))
        let file = try await cache.get(excerpt.name) {
            try await makeSound(try data.sound(excerpt, format: .wav))
        }
        var response = PageAnswer.file(file, "audio/wav", range: range)
        // Ids of recordings are never used again, so a browser may keep it.
        if response.status.kind == .successful { response.headers[.cacheControl] = "private, max-age=3600" }
        return response
    }

    private static func id(_ context: BasicRequestContext, _ what: String) throws -> Int64 {
        let text = try context.parameters.require("id")
        guard let id = Int64(text), id > 0 else {
            throw AtlasError(.invalidArgument, "no \(what) has the id '\(text.prefix(60))'; expected a number from 1")
        }
        return id
    }
}
