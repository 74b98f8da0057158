import Atlas
import Foundation
import TestSupport

@testable import AtlasPage

/// A synthetic atlas, served on a free port.
final class ServedPage: Sendable {
    let folder: TemporaryFolder
    let atlas: SyntheticAtlas
    var port: Int { server.port }
    private let server: RunningServer

    init(features: Int = 40, patience: RequestDeadline.Patience = .init()) async throws {
        folder = try TemporaryFolder()
        atlas = try SyntheticAtlas(in: folder.path, features: features)
        server = try await RunningServer(path: atlas.path, patience: patience)
    }

    /// The answer to what lies at `target` of the page.
    func get(
        _ target: String, host: String? = "127.0.0.1", method: String = "GET", headers: [String] = []
    ) async throws -> RawAnswer {
        try await server.get(target, host: host, method: method, headers: headers)
    }

    /// Where the page is, with the token: "/TOKEN/atlas".
    var base: String { server.base }

    /// A part of a file that lies as it is; the engine's own is not needed for it.
    @Sendable static func sound(_ sound: PageSound) async throws -> [UInt8] {
        guard let file = FileManager.default.contents(atPath: sound.path) else {
            throw PageSoundFailure("\(sound.path) is not there", isMissing: true)
        }
        let samples = file.dropFirst(44), first = Int(sound.start * 16000) * 2, last = Int(sound.end * 16000) * 2
        let part = Array(samples.dropFirst(first).prefix(last - first))
        let values = stride(from: 0, to: part.count - 1, by: 2).map { place in
            Float(Int16(bitPattern: UInt16(part[place]) | UInt16(part[place + 1]) << 8)) / 32767
        }
        return SyntheticAtlas.wav(values)
    }
}

/// A server of an atlas on a free port.
final class RunningServer: Sendable {
    let port: Int
    /// Where its page is: "/TOKEN/atlas".
    let base: String
    private let task: Task<Void, any Error>

    init(path: String, patience: RequestDeadline.Patience = .init()) async throws {
        let store = try AtlasStore(path: path, mode: .read)
        let (addresses, say) = AsyncStream.makeStream(of: String.self)
        task = Task {
            defer { say.finish() }
            try await PageServer(store: store, patience: patience, makeSound: ServedPage.sound).run(port: 0) {
                say.yield($0)
            }
        }
        var iterator = addresses.makeAsyncIterator()
        guard let address = await iterator.next(), let url = URL(string: address), let port = url.port else {
            try await task.value
            throw RawHTTP.Failure(reason: "the server has ended")
        }
        self.port = port
        base = url.path
    }

    deinit { task.cancel() }

    func get(
        _ target: String, host: String? = "127.0.0.1", method: String = "GET", headers: [String] = []
    ) async throws -> RawAnswer {
        try await RawHTTP.get(base + target, port: port, host: host, method: method, headers: headers)
    }
}
