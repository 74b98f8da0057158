import Foundation
import Testing

@testable import Atlas
@testable import AtlasPage

@Suite struct PageServerTests {
    let served: ServedPage

    init() async throws { served = try await ServedPage() }

    @Test("The page and each of its files come with their type, and say that nothing from elsewhere may run")
    func files() async throws {
        let page = try await served.get("/")
        #expect(page.status == 200)
        #expect(page.headers["content-type"] == "text/html; charset=utf-8")
        #expect(page.text.contains("<script type=\"module\" src=\"main.js\">"))
        for name in ServedFiles.atlas.all.keys {
            let shared = "/shared/" + name.dropFirst("../shared/".count), isShared = name.hasPrefix("../")
            let token = served.base.prefix(33)
            let file =
                isShared
                ? try await RawHTTP.get(token + shared, port: served.port) : try await served.get("/" + name)
            #expect(file.status == 200 && file.body == ServedFiles.atlas.all[name])
            #expect(file.headers["x-content-type-options"] == "nosniff")
            let policy = try #require(file.headers["content-security-policy"])
            #expect(policy.hasPrefix("default-src 'self';") && !policy.contains("unsafe"))
        }
        #expect(try await served.get("/main.js").headers["content-type"] == "text/javascript; charset=utf-8")
    }

    @Test("The list has its features in the order that is asked for, a page at a time")
    func list() async throws {
        let first = try await served.get("/api/features?sort=density&order=down&page=0&size=10").json()
        #expect(first["total"] as? Int == 44)
        let second = try await served.get("/api/features?sort=density&order=down&page=1&size=10").json()
        let densities = try [first, second].flatMap { page in
            try #require(page["rows"] as? [[String: Any]]).map { row in
                (row["feature"] as? [String: Any])?["density"] as? Double ?? -1
            }
        }
        #expect(densities.count == 20)
        #expect(densities == densities.sorted(by: >))
        let lifted = try await served.get("/api/features?lift=6&kind=phoneme&sort=lift&order=down&size=100").json()
        let lifts = try #require(lifted["rows"] as? [[String: Any]]).map { row in
            (row["label"] as? [String: Any])?["lift"] as? Double ?? -1
        }
        #expect(lifts.count > 5 && lifts == lifts.sorted(by: >) && lifts.allSatisfy { $0 >= 6 })
        let search = try await served.get("/api/features?q=iy&kind=phoneme&hook=encoder.blocks.2.mlp.1").json()
        let rows = try #require(search["rows"] as? [[String: Any]])
        // Of 0…39 those that are 5 mod 8, but for every fifth, which has no label.
        #expect(rows.compactMap { ($0["feature"] as? [String: Any])?["number"] as? Int }.sorted() == [5, 13, 21, 37])
    }

    @Test("A card has its examples, their curves, bins and labels, and no place of this machine")
    func card() async throws {
        let list = try await served.get("/api/features?sort=number&size=1&hook=encoder.blocks.2.mlp.1").json()
        let row = try #require((list["rows"] as? [[String: Any]])?.first)
        let id = try #require((row["feature"] as? [String: Any])?["id"] as? Int)
        let answer = try await served.get("/api/features/\(id)"), card = try answer.json()
        #expect(!answer.text.contains(served.folder.path))
        let examples = try #require(card["examples"] as? [[String: Any]])
        #expect(examples.filter { $0["side"] as? String == "+" }.count == 7)
        #expect((examples[0]["activation"] as? [Double])?.count == 100)
        let excerpt = try #require(examples[0]["excerpt"] as? [String: Any])
        #expect(excerpt["end"] as? Double == SyntheticAtlas.seconds)
        #expect((card["bins"] as? [[String: Any]])?.count == 20)
        #expect((card["labels"] as? [[String: Any]])?.count == 2)
        let recording = try #require(examples[0]["recording"] as? Int)
        let detail = try await served.get("/api/recordings/\(recording)")
        #expect(try (detail.json()["sounds"] as? [[String: Any]])?.count == 20)
        #expect(!detail.text.contains(served.folder.path))
    }

    @Test("Sound comes whole, and in the parts that a player asks for")
    func sound() async throws {
        let name = "/sound/1-0-2000.wav"
        let whole = try await served.get(name)
        #expect(whole.status == 200 && whole.headers["content-type"] == "audio/wav")
        #expect(whole.body.count == 44 + 64000)
        let part = try await served.get(name, headers: ["Range: bytes=100-299"])
        #expect(part.status == 206 && part.body == Array(whole.body[100..<300]))
        #expect(part.headers["content-range"] == "bytes 100-299/64044")
        let tail = try await served.get(name, headers: ["Range: bytes=-10"])
        #expect(tail.status == 206 && tail.body == Array(whole.body.suffix(10)))
        let beyond = try await served.get(name, headers: ["Range: bytes=64044-"])
        #expect(beyond.status == 416 && beyond.headers["content-range"] == "bytes */64044")
        for odd in ["bytes=5-2", "bytes=a-b", "bytes=1-2,4-5", "frames=0-1", "bytes=--5"] {
            #expect(try await served.get(name, headers: ["Range: \(odd)"]).status == 200)
        }
        let head = try await served.get(name, method: "HEAD")
        #expect(head.status == 200 && head.body.isEmpty && head.headers["content-length"] == "64044")
    }

    @Test(
        "What is no feature, recording, sound or query is refused with a reason",
        arguments: [
            ("/api/features/0", 400), ("/api/features/x", 400), ("/api/features/99999", 404),
            ("/api/features/99999999999999999999", 400), ("/api/features/-1", 400), ("/api/features/1%00", 400),
            ("/api/recordings/99999", 404), ("/api/recordings/NaN", 400),
            ("/api/features?sort=beauty", 400), ("/api/features?order=sideways", 400),
            ("/api/features?lift=x", 400), ("/api/features?lift=-1", 400), ("/api/features?lift=nan", 400),
            ("/api/features?page=-1", 400), ("/api/features?size=0", 400), ("/api/features?size=100000", 400),
            ("/api/features?page=9999999999999999999999", 400),
            ("/sound/1-0-2000", 404), ("/sound/1-0-2000.mp3", 404), ("/sound/.wav", 400), ("/sound/1-5-5.wav", 400),
            ("/sound/1-0-99999999.wav", 400), ("/sound/1-0-3000.wav", 400), ("/sound/999-0-1000.wav", 404),
            ("/sound/-1-0-1000.wav", 400), ("/sound/1-0-1e3.wav", 400),
            ("/api/features?limit=5", 400), ("/api/features?offset=-1", 400), ("/api/features?size=5&size=6", 400),
            ("/api/features?limit=", 400), ("/api/atlas?size=5", 400), ("/api/features/1?size=5", 400),
            ("/api/recordings/1?q=x", 400), ("/sound/1-0-2000.wav?start=1", 400),
            ("/nothing", 404), ("/api", 404), ("/api/", 404), ("/api/nothing", 404), ("/sound", 404),
            ("/index.html/x", 404),
        ])
    func refusals(target: String, status: Int) async throws {
        let answer = try await served.get(target)
        #expect(answer.status == status)
        let error = try #require(try answer.json()["error"] as? String)
        #expect(!error.isEmpty)
    }

    @Test(
        "No path leads out of the page",
        arguments: [
            "/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd",
            "/sound/..%2f..%2fetc%2fpasswd",
            "/sound/../synthetic.atlas", "//etc/passwd", "/./main.js/../../synthetic.atlas", "/synthetic.atlas",
        ])
    func traversal(target: String) async throws {
        let answer = try await served.get(target)
        #expect([400, 404].contains(answer.status))
        #expect(!answer.text.contains("root:") && !answer.text.contains("SQLite"))
    }

    @Test(
        "Only names of this machine are answered to",
        arguments: [
            ("127.0.0.1", true), ("127.0.0.1:8080", true), ("localhost", true), ("LOCALHOST:1", true),
            ("[::1]:99", true),
            ("example.org", false), ("127.0.0.1.example.org", false), ("localhost.example.org", false),
            ("example.org:8080", false), ("127.0.0.1@example.org", false), ("localhost:", false),
            ("localhost:8080.example.org", false), ("127.0.0.2", false), ("0.0.0.0", false), ("", false),
        ])
    func hosts(host: String, isAnswered: Bool) async throws {
        for target in ["/", "/api/atlas", "/sound/1-0-2000.wav", "/nothing"] {
            let status = try await served.get(target, host: host).status
            // What is no name at all may be refused before it is read.
            #expect(isAnswered ? [200, 404].contains(status) : [400, 403].contains(status))
        }
    }

    @Test("Who does not know the token is told nothing, not even what there is")
    func token() async throws {
        let token = String(served.base.dropFirst().prefix { $0 != "/" })
        #expect(token.count == 32)
        let other = String(repeating: "0", count: 32)
        let without = [
            "/", "/index.html", "/atlas/", "/api/atlas", "/atlas/api/atlas", "/shared/base.css", "/nothing",
            "/\(other)/atlas/", "/\(other)/shared/base.css", "/\(token.dropLast())/atlas/", "/\(token)0/atlas/",
            "/\(token.uppercased())x/atlas/", "/\(other)/../\(token)/atlas/", "/%2f\(token)/atlas/",
        ]
        for target in without {
            let answer = try await RawHTTP.get(target, port: served.port)
            #expect(answer.status == 403, "\(target)")
            #expect(!answer.text.contains(token))
        }
        // Another server has another one.
        let beside = try await servedBeside()
        #expect(beside.base != served.base)
        #expect(try await RawHTTP.get(served.base + "/", port: beside.port).status == 403)
    }

    @Test("An address without its last slash leads to the one with it, since the page's files are beside it")
    func slash() async throws {
        let answer = try await served.get("")
        #expect([301, 302, 303, 307, 308].contains(answer.status))
        #expect(answer.headers["location"] == served.base + "/")
    }

    @Test("A client that never finishes its request is closed, and the others are answered meanwhile")
    func slowClients() async throws {
        let hasty = try await ServedPage(
            patience: RequestDeadline.Patience(request: .milliseconds(300), next: .milliseconds(300)))
        for part in ["", "GET ", "GET \(hasty.base)/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "] {
            let slow = try RawHTTP.open(port: hasty.port)
            defer { close(slow) }
            #expect(Glibc.send(slow, part, part.utf8.count, 0) == part.utf8.count)
            #expect(try await hasty.get("/").status == 200)
            // It ends; with the reason, where the server says one.
            _ = try await RawHTTP.readToEnd(slow)
        }
        // After an answer as well.
        let request = "GET \(hasty.base)/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        let kept = try RawHTTP.open(port: hasty.port)
        defer { close(kept) }
        #expect(Glibc.send(kept, request, request.utf8.count, 0) == request.utf8.count)
        let answer = try await RawHTTP.readToEnd(kept)
        #expect(String(decoding: answer.prefix(15), as: UTF8.self) == "HTTP/1.1 200 OK")
    }

    @Test("A request without a host is not answered")
    func noHost() async throws {
        let answer = try await served.get("/api/atlas", host: nil)
        #expect([400, 403].contains(answer.status))
    }

    @Test("Nothing but reading is possible", arguments: ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
    func methods(method: String) async throws {
        for target in ["/", "/api/features/1", "/nothing"] {
            let answer = try await served.get(target, method: method, headers: ["Content-Length: 0"])
            #expect(answer.status == 405 && answer.headers["allow"] == "GET, HEAD")
        }
    }

    @Test("A recording whose file is gone is told as missing, and does not lose the rest")
    func missingSound() async throws {
        try FileManager.default.removeItem(atPath: served.folder("recording-3.wav"))
        let answer = try await served.get("/sound/4-0-2000.wav")
        #expect(answer.status == 404)
        #expect(try (answer.json()["error"] as? String)?.hasSuffix("is not there") == true)
        #expect(try await served.get("/sound/5-0-2000.wav").status == 200)
    }

    @Test("Readers see whole scans while a writer replaces them")
    func readersWhileWriting() async throws {
        let other = try await servedBeside()
        let path = served.atlas.path, atlas = served.atlas, folder = served.folder.path
        let writer = Task {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                DispatchQueue.global().async {
                    continuation.resume(
                        with: Result {
                            let store = try AtlasStore(path: path, mode: .write)
                            for _ in 0..<4 { try atlas.write(store) { "\(folder)/recording-\($0).wav" } }
                        })
                }
            }
        }
        let servers = [served.get, other.get]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for get in servers {
                group.addTask {
                    for _ in 0..<40 {
                        let list = try await get("/api/features?size=5", "127.0.0.1", "GET", [])
                        #expect(list.status == 200)
                        let answer = try list.json()
                        #expect(answer["total"] as? Int == 44)
                        let row = (answer["rows"] as? [[String: Any]])?.first?["feature"] as? [String: Any]
                        let card = try await get("/api/features/\(row?["id"] as? Int ?? 0)", "127.0.0.1", "GET", [])
                        // Between the two the scan may have been replaced, and the id with it.
                        #expect([200, 404].contains(card.status))
                    }
                }
            }
            try await group.waitForAll()
        }
        try await writer.value
        #expect(try await served.get("/api/features").json()["total"] as? Int == 44)
        withExtendedLifetime(other) {}
    }

    /// A second server of the same atlas, as another process would be.
    private func servedBeside() async throws -> RunningServer { try await RunningServer(path: served.atlas.path) }
}
