import Foundation

/// Somebody who does the work that is measured, in a process of its own: this program, an older form of it, or a peer.
public final class Contender {
    /// As tables call it: `auscult`, `openai-whisper`.
    public let name: String
    /// Threads that its process was started for; nil where each piece of work says.
    public let threads: Int?
    public let isOurs: Bool
    private let start: () throws -> LineProcess
    private var process: LineProcess?
    /// Why it takes part no more.
    public private(set) var failure: String?

    public init(
        _ name: String, threads: Int? = nil, isOurs: Bool = false, start: @escaping () throws -> LineProcess
    ) {
        self.name = name
        self.threads = threads
        self.isOurs = isOurs
        self.start = start
    }

    /// Does one piece of work. A contender whose process went is out for good; one that refuses a piece of work is not.
    /// - Throws: ``BenchError``.
    public func run(_ work: Work, patience: Double = 900) throws -> WorkReply {
        if let failure { throw BenchError(failure) }
        let reply: WorkReply
        do {
            let running = try process ?? start()
            process = running
            let line = try running.ask(String(decoding: Self.encoder.encode(work), as: UTF8.self), patience: patience)
            reply = try Self.reply(line, from: name)
        } catch {
            failure = "\(error)"
            close()
            throw error
        }
        if let error = reply.error { throw BenchError("\(name): \(error)") }
        return reply
    }

    private static func reply(_ line: String, from name: String) throws -> WorkReply {
        guard let reply = try? JSONDecoder().decode(WorkReply.self, from: Data(line.utf8)) else {
            throw BenchError("\(name) answered what is no reply: \(line.prefix(200))")
        }
        return reply
    }

    /// Its memory is given back; the next piece of work starts it anew.
    public func close() {
        process?.close()
        process = nil
    }

    private static let encoder = JSONEncoder()
}
