import CConfinement
import Files
import Foundation
import Messages

/// What one process of a plugin is granted: paths, and the network. What it writes is there before it starts, since Landlock's rules are
/// about files and folders, not about names.
struct PluginGrants {
    private(set) var readable: [String]
    private(set) var writable: [String]
    let network: Bool
    let unconfined: Bool
    let isStrict: Bool
    /// Its own folder, where its temporary files are too; empty where it has none.
    let folder: String
    /// What it writes, and what is there of it.
    private let places = OutputPlaces()

    /// - Parameter folder: the plugin's own; nil where there is none.
    /// - Throws: ``PluginError``: `permissionDenied` where it needs more than is allowed, `failedPrecondition` where what it is to write
    ///   cannot be made.
    init(_ bundle: PluginBundle, _ access: PluginAccess, folder: String?) throws {
        let allowed = access.permissions, declared = bundle.permissions
        if access.isRun, let problem = declared.problem(allowed) {
            throw PluginError(.permissionDenied, "plugin \(bundle.id): \(problem)")
        }
        network = allowed.network
        unconfined = allowed.unconfined
        isStrict = access.isStrict
        self.folder = folder ?? ""
        readable = Self.system + Self.libraryFolders() + [bundle.folder] + allowed.readable
        writable = ["/dev/null", "/dev/zero", "/dev/full"] + [folder].compactMap { $0 } + allowed.writable
        if allowed.network { readable += Self.networkFiles }
        for argument in access.arguments where argument.value.hasPrefix("/") && !argument.value.utf8.contains(0) {
            if declared.writeFolders.contains(argument.id) {
                try places.hold(argument.value, isFolder: true, bundle.id)
                writable.append(argument.value)
            } else if declared.writeFiles.contains(argument.id) {
                try places.hold(argument.value, isFolder: false, bundle.id)
                writable.append(argument.value)
            } else {
                readable.append(argument.value)
            }
        }
    }

    /// What a program needs to run at all, and what any user may read.
    private static let system = [
        "/usr", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/etc/timezone", "/etc/passwd",
        "/etc/group", "/etc/nsswitch.conf", "/etc/locale.alias", "/proc/self", "/proc/cpuinfo", "/proc/meminfo",
        "/proc/stat", "/proc/version", "/proc/filesystems", "/proc/sys/kernel", "/proc/sys/vm",
        "/sys/devices/system/cpu", "/sys/devices/system/node", "/dev/urandom", "/dev/random",
    ]
    private static let networkFiles = [
        "/etc/hosts", "/etc/resolv.conf", "/run/systemd/resolve", "/etc/host.conf", "/etc/gai.conf", "/etc/services",
        "/etc/protocols", "/etc/ssl", "/etc/ca-certificates",
    ]

    /// Where this program's own libraries lie: a plugin's are built with the same.
    private static func libraryFolders() -> [String] {
        let named = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] ?? ""
        let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
        let loaded = maps.split(separator: "\n").compactMap { line -> String? in
            guard let path = line.firstIndex(of: "/").map({ String(line[$0...]) }), path.contains(".so") else {
                return nil
            }
            return (path as NSString).deletingLastPathComponent
        }
        return Set(named.split(separator: ":").map(String.init) + loaded).filter { $0.hasPrefix("/") && $0 != "/" }
            .sorted()
    }

    /// The process has ended: what was made for it, and is empty still, goes.
    func release() { places.release() }

    /// What the process is told, which confines itself before it loads the library.
    var message: HostV1.Confinement {
        HostV1.Confinement(
            read: readable, write: writable, network: network, unconfined: unconfined, strict: isStrict,
            folder: folder)
    }
}
