import Client
import Files
import Foundation

/// Cuts a file or standard input into lines as they come.
actor LineReader {
    private let path: String?
    private var file: Files.FileDescriptor?
    private var pending: [UInt8] = []
    private var isAtEnd = false

    /// A line that is longer is no message of the daemon's, which takes at most 4 MiB.
    private static let longest = 32 << 20

    /// - Parameter path: nil for standard input.
    init(_ path: String?) { self.path = path }

    /// Without its line break; nil after the last.
    func next() async throws -> [UInt8]? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                defer { pending.removeFirst(end + 1) }
                return Array(pending[..<end])
            }
            if isAtEnd {
                defer { pending = [] }
                return pending.isEmpty ? nil : pending
            }
            guard pending.count < Self.longest else {
                throw CommandError(.usage, "\(path ?? "standard input") has a line of more than \(Self.longest) bytes")
            }
            let bytes = try await readNext(try descriptor(), most: 64 << 10, name: path ?? "standard input")
            if bytes.isEmpty { isAtEnd = true } else { pending += bytes }
        }
    }

    private func descriptor() throws -> Int32 {
        guard let path else { return STDIN_FILENO }
        if let file { return file.number }
        let opened = try Files.FileDescriptor(path, O_RDONLY)
        file = opened
        return opened.number
    }
}
