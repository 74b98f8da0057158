import Atlas
import Foundation
import Hummingbird
import NIOCore

/// What a live page looks at and what it may do. It knows no daemon.
public protocol LivePageRoom: Sendable {
    var events: LiveBroadcast { get }
    /// What the page is told once, as JSON.
    func about() async throws -> Data
    /// Begins to listen; what was listened to before ends.
    /// - Parameter source: "page" for sound that the page sends, "file", or "device:" and a name.
    func start(_ source: String) async throws
    func stop() async throws
    /// 16 kHz mono s16le of the page's own microphone.
    /// - Parameters:
    ///   - captured: when the first sample was, in milliseconds since 1970.
    ///   - lost: samples that were lost before it.
    func push(_ sound: [UInt8], captured: Double?, lost: Int) async throws
    func steer(_ interventions: [String]) async throws
    func mark(_ label: String) async throws
}

/// Something that a room cannot do, said to the page.
public struct LivePageFailure: Error, Sendable, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}

/// Serves the live page to browsers on this machine, below a token of its own (``PageToken``), and an atlas' page beside it, where there is
/// one:
///
///     GET  /TOKEN/live/                  the page
///     GET  /TOKEN/live/api/about         the features, interventions and sources
///     GET  /TOKEN/live/api/events        what happens, as server-sent events
///     POST /TOKEN/live/api/start?source= begins to listen
///     POST /TOKEN/live/api/stop
///     POST /TOKEN/live/api/sound?captured=&lost=    16 kHz mono s16le of the page's own microphone
///     POST /TOKEN/live/api/steer         JSON: what holds from now on, a list of interventions
///     POST /TOKEN/live/api/mark?label=   a moment to be found again
public struct LivePageServer: Sendable {
    /// Of a request's body: what the page sends is a few kilobytes.
    private static let mostBytes = 1 << 20

    private let room: any LivePageRoom
    private let atlas: PageServer?
    private let token = PageToken()

    public init(_ room: any LivePageRoom, atlas: PageServer? = nil) {
        self.room = room
        self.atlas = atlas
    }

    /// Serves until the task is cancelled; as ``PageServer/run(port:ready:)``.
    public func run(port: Int, ready: @escaping @Sendable (String) async -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // More often than a connection may be silent.
                while true {
                    try await Task.sleep(for: .seconds(10))
                    room.events.beat()
                }
            }
            group.addTask {
                try await PageApplication(token: token, folder: "live").run(router(), port: port, ready: ready)
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    func router() -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: PageGuard(token: token, posts: ["start", "stop", "sound", "steer", "mark"]))
        router.addSharedFiles(token)
        atlas?.add(to: router, token)
        let page = router.group("\(token.text)/live")
        router.add(.live, at: page)
        page.get("api/about") { _, _ in PageAnswer.json(try await room.about()) }
        page.get("api/events") { _, _ in Self.events(room.events) }
        page.post("api/start") { request, _ in
            let query = try PageQuery.parameters(of: request, known: ["source"])
            return try await Self.done { try await room.start(query["source"] ?? "") }
        }
        page.post("api/stop") { _, _ in try await Self.done { try await room.stop() } }
        page.post("api/mark") { request, _ in
            let query = try PageQuery.parameters(of: request, known: ["label"])
            return try await Self.done { try await room.mark(String((query["label"] ?? "").prefix(200))) }
        }
        page.post("api/sound") { request, _ in
            let query = try PageQuery.parameters(of: request, known: ["captured", "lost"])
            let captured = try Self.number(query["captured"], "captured", below: 1e14)
            let lost = try Self.number(query["lost"], "lost", below: 1e9)
            let sound = try await Self.body(request)
            guard sound.count % 2 == 0 else {
                throw LivePageFailure("\(sound.count) bytes of sound; expected two a sample")
            }
            return try await Self.done { try await room.push(sound, captured: captured, lost: Int(lost ?? 0)) }
        }
        page.post("api/steer") { request, _ in
            let body = Data(try await Self.body(request))
            guard let interventions = try? JSONDecoder().decode([String].self, from: body) else {
                throw LivePageFailure("expected a list of interventions as JSON, such as [\"encoder.ln_post = zero\"]")
            }
            return try await Self.done { try await room.steer(interventions) }
        }
        return router
    }

    private static func done(_ body: () async throws -> Void) async throws -> Response {
        try await body()
        return Response(status: .noContent)
    }

    private static func body(_ request: Request) async throws -> [UInt8] {
        do { return Array(buffer: try await request.body.collect(upTo: mostBytes)) } catch is NIOTooManyBytesError {
            throw HTTPError(.contentTooLarge, message: "expected \(mostBytes) bytes at most")
        }
    }

    private static func number(_ text: String?, _ name: String, below most: Double) throws -> Double? {
        guard let text else { return nil }
        guard let number = Double(text), (0..<most).contains(number) else {
            throw LivePageFailure("\(name) cannot be '\(text.prefix(60))'; expected a number from 0")
        }
        return number
    }

    /// An event is a line of JSON; an empty one a comment, which says nothing.
    private static func events(_ broadcast: LiveBroadcast) -> Response {
        let stream = broadcast.watch()
        let body = ResponseBody { writer in
            try await writer.write(ByteBuffer(string: ":\n\n"))
            for await event in stream {
                var buffer = ByteBuffer()
                if event.isEmpty {
                    buffer.writeString(":\n\n")
                } else {
                    buffer.writeString("data: ")
                    buffer.writeBytes(event)
                    buffer.writeString("\n\n")
                }
                try await writer.write(buffer)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/event-stream"], body: body)
    }
}
