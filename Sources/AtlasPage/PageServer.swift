import Atlas
import Foundation
import Hummingbird

/// Serves an atlas' page to browsers on this machine, and reads only.
///
/// All of it lies under a token that is drawn for each server (``PageToken``), since any user of the machine can ask 127.0.0.1:
///
///     GET /TOKEN/atlas/                       the page; its files beside it, and what pages share in /TOKEN/shared/
///     GET /TOKEN/atlas/api/atlas              scans, hook points, kinds of labels
///     GET /TOKEN/atlas/api/features?q=&hook=&kind=&lift=&sort=&order=&page=&size=
///     GET /TOKEN/atlas/api/features/ID        a feature's card
///     GET /TOKEN/atlas/api/recordings/ID      what is heard in a recording, and the features that it excites
///     GET /TOKEN/atlas/sound/ID-FIRST-LAST.wav    a part of a recording, in milliseconds; ranges are honoured
public struct PageServer: Sendable {
    private let data: PageData
    private let token = PageToken()
    private let patience: RequestDeadline.Patience
    private let makeSound: PageSoundMaker
    private let cache = SoundCache()

    public init(store: AtlasStore, makeSound: @escaping PageSoundMaker) {
        self.init(store: store, patience: RequestDeadline.Patience(), makeSound: makeSound)
    }

    init(store: AtlasStore, patience: RequestDeadline.Patience, makeSound: @escaping PageSoundMaker) {
        data = PageData(store: store)
        self.patience = patience
        self.makeSound = makeSound
    }

    /// Serves until the task is cancelled.
    /// - Parameters:
    ///   - port: 0 for one that is free.
    ///   - ready: is called with the page's address once it is served.
    /// - Throws: what the system says where the port is taken.
    public func run(port: Int, ready: @escaping @Sendable (String) async -> Void) async throws {
        try await PageApplication(token: token, folder: "atlas", patience: patience)
            .run(router(), port: port, ready: ready)
    }

    func router() -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: PageGuard(token: token))
        router.addSharedFiles(token)
        add(to: router, token)
        return router
    }

    /// The page, below a token that may be another server's.
    func add(to router: Router<BasicRequestContext>, _ token: PageToken) {
        let page = router.group("\(token.text)/atlas")
        router.add(.atlas, at: page)
        page.get("api/atlas") { [data] request, _ in
            _ = try PageQuery.parameters(of: request)
            return PageAnswer.json(try data.about())
        }
        page.get("api/features") { [data] request, _ in
            PageAnswer.json(
                try data.features(try PageQuery.query(try PageQuery.parameters(of: request, known: PageQuery.names))))
        }
        page.get("api/features/{id}") { [data] request, context in
            _ = try PageQuery.parameters(of: request)
            return PageAnswer.json(try data.card(try Self.id(context, "feature")))
        }
        page.get("api/recordings/{id}") { [data] request, context in
            _ = try PageQuery.parameters(of: request)
            return PageAnswer.json(try data.recording(try Self.id(context, "recording")))
        }
        page.get("sound/{name}") { request, context in
            _ = try PageQuery.parameters(of: request)
            return try await sound(try context.parameters.require("name"), range: request.headers[.range])
        }
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
