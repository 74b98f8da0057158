import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Atlas
@testable import AtlasPage

/// A room that keeps what it is told.
private final class TestRoom: LivePageRoom {
    let events = LiveBroadcast()
    private let told = Mutex<[String]>([])
    var all: [String] { told.withLock { $0 } }
    private func add(_ what: String) { told.withLock { $0.append(what) } }

    func about() async throws -> Data { Data(#"{"features": []}"#.utf8) }
    func start(_ source: String) async throws {
        guard source == "page" else { throw LivePageFailure("there is no source '\(source)'") }
        add("start \(source)")
    }
    func stop() async throws { add("stop") }
    func push(_ sound: [UInt8], captured: Double?, lost: Int) async throws {
        add("\(sound.count) bytes at \(captured ?? -1), \(lost) lost")
    }
    func steer(_ interventions: [String]) async throws { add("steer \(interventions.joined(separator: "; "))") }
    func mark(_ label: String) async throws { add("mark \(label)") }
}

/// Waits for something to become true; a loaded machine may take long.
private func until(_ condition: () -> Bool) async throws {
    while !condition() { try await Task.sleep(for: .milliseconds(5)) }
}

@Suite("The live page", .timeLimit(.minutes(2))) struct LivePageTests {
    private let room = TestRoom()
    private let port: Int
    private let base: String
    private let task: Task<Void, any Error>
    private let folder: TemporaryFolder

    init() async throws {
        folder = try TemporaryFolder()
        let atlas = try SyntheticAtlas(in: folder.path, features: 4)
        let store = try AtlasStore(path: atlas.path, mode: .read)
        let (addresses, say) = AsyncStream.makeStream(of: String.self)
        let room = room
        task = Task {
            defer { say.finish() }
            try await LivePageServer(room, atlas: PageServer(store: store, makeSound: ServedPage.sound)).run(port: 0) {
                say.yield($0)
            }
        }
        var iterator = addresses.makeAsyncIterator()
        let address = try #require(await iterator.next())
        let url = try #require(URL(string: address))
        port = try #require(url.port)
        base = url.path
    }

    private func post(_ target: String, _ body: String = "") async throws -> RawAnswer {
        let request =
            "POST \(base)/api/\(target) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            + body
        let port = port
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try RawHTTP.send(request, port: port) })
            }
        }
    }

    @Test(
        "its files are served below a token, with what pages share and the atlas beside it, and nothing from elsewhere may run"
    )
    func files() async throws {
        defer { task.cancel() }
        #expect(base.wholeMatch(of: /\/[0-9a-f]{32}\/live/) != nil)
        for name in ServedFiles.live.all.keys where !name.hasPrefix("../") {
            let answer = try await RawHTTP.get("\(base)/\(name)", port: port)
            #expect(answer.status == 200 && answer.body == ServedFiles.live.all[name])
            #expect(answer.headers["content-security-policy"]?.hasPrefix("default-src 'self';") == true)
        }
        let token = base.prefix(33)
        for target in [
            "\(base)/", "\(token)/shared/base.css", "\(token)/atlas/api/features/1", "\(token)/atlas/main.js",
        ] {
            #expect(try await RawHTTP.get(target, port: port).status == 200, "\(target)")
        }
        let other = "/" + String(repeating: "0", count: 32)
        #expect(try await RawHTTP.get("\(other)/live/api/events", port: port).status == 403)
        #expect(try await RawHTTP.get("\(base)/", port: port, host: "example.org").status == 403)
        #expect(try await RawHTTP.get("\(base)/api/about", port: port).text == #"{"features": []}"#)
    }

    @Test("what is pressed, said and sent reaches the room, and what makes no sense is refused in words")
    func posts() async throws {
        defer { task.cancel() }
        #expect(try await post("start?source=page").status == 204)
        #expect(try await post("sound?captured=1000.5&lost=7", "abcd").status == 204)
        #expect(try await post("steer", #"["encoder.ln_post = zero"]"#).status == 204)
        #expect(try await post("mark?label=a%20goat").status == 204)
        #expect(try await post("stop").status == 204)
        #expect(
            room.all == [
                "start page", "4 bytes at 1000.5, 7 lost", "steer encoder.ln_post = zero", "mark a goat", "stop",
            ])
        for (target, body, words) in [
            ("start?source=x", "", "no source"), ("start?device=x", "", "no parameter"),
            ("sound", "abc", "two a sample"), ("sound?lost=-1", "", "from 0"), ("sound?captured=nan", "", "from 0"),
            ("steer", "{}", "a list"), ("steer", "[1]", "a list"),
        ] {
            let answer = try await post(target, body)
            #expect(answer.status == 400 && answer.text.contains(words), "\(target): \(answer.status) \(answer.text)")
        }
        #expect(try await post("sound", String(repeating: "x", count: 2 << 20)).status == 413)
        // What changes something is no link that can be followed, and what is read is not sent to.
        for target in ["start?source=page", "stop", "mark", "sound", "steer"] {
            let answer = try await RawHTTP.get("\(base)/api/\(target)", port: port)
            #expect(answer.status == 405 && answer.headers["allow"] == "POST")
        }
        #expect(try await post("events").status == 405)
        #expect(room.all.count == 5)
    }

    @Test("events come as they are published, and a page that comes later is told what was kept")
    func events() async throws {
        defer { task.cancel() }
        room.events.publish(Data("\"old words\"".utf8), isKept: true)
        room.events.publish(Data("\"an old level\"".utf8), isKept: false)
        let connection = try RawHTTP.open(port: port)
        let request = "GET \(base)/api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        #expect(Glibc.send(connection, request, request.utf8.count, 0) == request.utf8.count)
        try await until { room.events.watchers == 1 }
        for number in 0..<3 { room.events.publish(Data("\(number)".utf8), isKept: false) }
        room.events.beat()
        room.events.publish(Data("\"last\"".utf8), isKept: false)
        let text = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var all = "", piece = [UInt8](repeating: 0, count: 4096)
                while !all.contains("last") {
                    let count = recv(connection, &piece, piece.count, 0)
                    if count <= 0 { break }
                    all += String(decoding: piece[..<count], as: UTF8.self)
                }
                continuation.resume(returning: all)
            }
        }
        close(connection)
        #expect(text.contains("text/event-stream"))
        let events = text.split(separator: "\r\n").flatMap { $0.split(separator: "\n") }
            .filter { $0.hasPrefix("data: ") }
        #expect(events == ["data: \"old words\"", "data: 0", "data: 1", "data: 2", "data: \"last\""])
        // Whoever has gone is found out when something is said.
        try await until {
            room.events.beat()
            return room.events.watchers == 0
        }
        room.events.forget()
    }

    @Test("a page that does not read loses the oldest, and keeps nobody waiting")
    func slow() async throws {
        defer { task.cancel() }
        let broadcast = LiveBroadcast()
        let stream = broadcast.watch()
        for number in 0..<10_000 { broadcast.publish(Data("\(number)".utf8), isKept: true) }
        var iterator = stream.makeAsyncIterator()
        let first = try #require(await iterator.next())
        #expect((Int(String(decoding: first, as: UTF8.self)) ?? 0) > 5000)
        // What is kept for others is bounded as well, and the newest of it.
        var later = broadcast.watch().makeAsyncIterator()
        let kept = try #require(await later.next())
        #expect((Int(String(decoding: kept, as: UTF8.self)) ?? 0) > 7500)
    }
}
