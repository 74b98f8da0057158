import Atlas
import AtlasPage
import Foundation
import TestSupport

/// A synthetic atlas, served on a free port.
final class ServedPage: Sendable {
    let folder: TemporaryFolder
    let atlas: SyntheticAtlas
    var port: Int { server.port }
    private let server: RunningServer

    init(features: Int = 40) async throws {
        folder = try TemporaryFolder()
        atlas = try SyntheticAtlas(in: folder.path, features: features)
        server = try await RunningServer(path: atlas.path)
    }

    func get(
        _ target: String, host: String? = "127.0.0.1", method: String = "GET", headers: [String] = []
    ) async throws -> RawAnswer {
        try await RawHTTP.get(target, port: port, host: host, method: method, headers: headers)
    }

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
    private let task: Task<Void, any Error>

    init(path: String) async throws {
        let store = try AtlasStore(path: path, mode: .read)
        let (ports, say) = AsyncStream.makeStream(of: Int.self)
        task = Task {
            defer { say.finish() }
            try await PageServer(store: store, makeSound: ServedPage.sound).run(port: 0) { address in
                say.yield(URL(string: address)?.port ?? 0)
            }
        }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else {
            try await task.value
            throw RawHTTP.Failure(reason: "the server has ended")
        }
        self.port = port
    }

    deinit { task.cancel() }
}
