import Files
import Messages

/// What the caller of a run allows its plugin, beside the paths that its arguments name.
public struct PluginPermissions: Hashable, Sendable {
    /// Absolute paths of files, and of folders with all that is in them.
    public var readable: [String] = []
    public var writable: [String] = []
    public var network = false
    /// Nothing is refused: the plugin reads and writes what the daemon's user may, starts processes, and opens sockets.
    public var unconfined = false

    public init() {}

    /// - Throws: ``PluginError`` (`invalidArgument`) for a path that is not absolute.
    public init(_ message: V1.PluginPermissions?) throws {
        guard let message else { return }
        for path in message.read + message.write {
            guard path.hasPrefix("/"), !path.utf8.contains(0) else {
                throw PluginError(
                    .invalidArgument, "the path '\(DescriptionCheck.shown(path))' of a permission is not absolute")
            }
        }
        readable = message.read
        writable = message.write
        network = message.network
        unconfined = message.unconfined
    }
}

/// What a plugin is started for: to be described, with nothing granted, or to run with arguments.
public struct PluginAccess: Sendable {
    var isRun = false
    var arguments: [V1.PluginArgument] = []
    var permissions = PluginPermissions()
    /// Whether a call that a plugin may not make ends it, instead of failing.
    var isStrict = false

    /// To be described.
    public init() {}

    /// To run.
    public init(arguments: [V1.PluginArgument], permissions: PluginPermissions) {
        isRun = true
        self.arguments = arguments
        self.permissions = permissions
    }
}

/// What a bundle's manifest says that its plugin needs beside the system's own files, the bundle, its own folder and what is named to it.
public struct DeclaredPermissions: Hashable, Sendable {
    /// Absolute paths that it reads.
    public var read: [String] = []
    /// Arguments that name a file, or a folder, that it writes.
    public var writeFiles: [String] = []
    public var writeFolders: [String] = []
    public var network = false

    public init() {}

    /// Why a plugin that needs this cannot run with what is allowed; nil where it can.
    func problem(_ allowed: PluginPermissions) -> String? {
        if allowed.unconfined { return nil }
        var missing = network && !allowed.network ? ["network"] : []
        for path in read where !allowed.readable.contains(where: { covers($0, path) }) {
            missing.append("read=\(path)")
        }
        guard !missing.isEmpty else { return nil }
        return "it needs \(missing.joined(separator: " and ")), by its manifest, and the run does not allow it: "
            + missing.map { "--allow \($0)" }.joined(separator: " ")
    }

    private func covers(_ folder: String, _ path: String) -> Bool {
        path == folder || path.hasPrefix(folder.hasSuffix("/") ? folder : folder + "/")
    }

    public init(_ message: V1.DeclaredPermissions?) {
        guard let message else { return }
        (read, writeFiles, writeFolders) = (message.read, message.writeFiles, message.writeFolders)
        network = message.network
    }

    public var message: V1.DeclaredPermissions {
        V1.DeclaredPermissions(read: read, writeFiles: writeFiles, writeFolders: writeFolders, network: network)
    }
}
