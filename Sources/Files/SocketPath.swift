import Foundation

/// Where the daemon's socket lies: what was named, else `$AUSCULT_SOCKET`, else `$XDG_RUNTIME_DIR/auscult/auscult.sock`,
/// else `/tmp/auscult-<uid>/auscult.sock`.
///
/// The daemon and every client work it out by this rule, so that they meet without being told. `$TMPDIR` is ignored
/// for that reason: it differs between a login and a service. Nothing here touches the file system.
public struct SocketPath: Hashable, Sendable, CustomStringConvertible {
    /// Bytes that fit in `sockaddr_un`, whose last of 108 is the terminator.
    public static let longest = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// An absolute path.
    public let path: String

    /// - Parameters:
    ///   - named: a path that the user gave, relative to `currentFolder` where it does not begin with a slash.
    ///   - environment: an empty `$AUSCULT_SOCKET` counts as none, and a relative `$XDG_RUNTIME_DIR` too, as the XDG
    ///     Base Directory Specification 0.8 has it.
    ///   - user: whose folder in `/tmp` it is where there is no runtime folder.
    /// - Throws: ``FileError`` (`invalidArgument`) for a path that cannot be a socket's.
    public init(
        _ named: String? = nil, environment: [String: String] = ProcessInfo.processInfo.environment,
        user: UInt32 = getuid(), currentFolder: String = FileManager.default.currentDirectoryPath
    ) throws {
        if let named {
            path = try Self.checked(named, in: currentFolder)
        } else if let named = environment["AUSCULT_SOCKET"], !named.isEmpty {
            path = try Self.checked(named, in: currentFolder)
        } else if let runtime = environment["XDG_RUNTIME_DIR"], runtime.hasPrefix("/") {
            path = try Self.checked((runtime as NSString).appendingPathComponent("auscult/auscult.sock"), in: "/")
        } else {
            path = "/tmp/auscult-\(user)/auscult.sock"
        }
    }

    /// The folder that holds it.
    public var folder: String { (path as NSString).deletingLastPathComponent }

    public var description: String { path }

    private static func checked(_ named: String, in currentFolder: String) throws -> String {
        guard !named.isEmpty, !named.hasSuffix("/") else {
            throw FileError(.invalidArgument, "'\(named)' cannot be a socket's path: it names no file")
        }
        guard !named.utf8.contains(0) else {
            throw FileError(.invalidArgument, "a socket's path cannot contain a NUL character")
        }
        let path = named.hasPrefix("/") ? named : (currentFolder as NSString).appendingPathComponent(named)
        guard path.utf8.count <= longest else {
            throw FileError(
                .invalidArgument,
                "the socket's path \(path) has \(path.utf8.count) bytes; the system allows at most \(longest)")
        }
        return path
    }

    /// Calls `body` with the address that `bind` and `connect` take.
    package func withAddress<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) throws -> R) rethrows -> R {
        try withUnixAddress(Array(path.utf8), body)
    }
}

/// Calls `body` with the address of a Unix socket. A path gets its terminator; a name of the abstract namespace begins
/// with a zero byte and ends where the length says (unix(7)).
/// - Parameter name: at most ``SocketPath/longest`` bytes; what is longer is cut.
package func withUnixAddress<R>(
    _ name: [UInt8], _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> R
) rethrows -> R {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name.prefix(SocketPath.longest)) }
    let isAbstract = name.first == 0
    let used = min(name.count, SocketPath.longest) + (isAbstract ? 0 : 1)
    let length = socklen_t(MemoryLayout<sa_family_t>.size + used)
    return try withUnsafePointer(to: &address) { pointer in
        try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { try body($0, length) }
    }
}
