import Files
import Foundation
import Synchronization

/// Files and folders that one process of a plugin writes, made where they are not there. What was made and is empty goes when the last
/// process that has it has ended: several workers of a run have the same.
final class OutputPlaces: Sendable {
    private struct Place {
        var holders = 0
        var isMade = false
    }

    private static let all = Mutex<[String: Place]>([:])
    private let held = Mutex<[String]>([])

    deinit { release() }

    /// - Throws: ``PluginError`` (`cannotCreate`).
    func hold(_ path: String, isFolder: Bool, _ plugin: String) throws {
        try Self.all.withLock { all in
            var place = all[path] ?? Place()
            let wasMade = try isFolder ? Self.makeFolder(path, plugin) : Self.makeFile(path, plugin)
            place.isMade = place.isMade || wasMade
            place.holders += 1
            all[path] = place
        }
        held.withLock { $0.append(path) }
    }

    func release() {
        let paths = held.withLock { held in
            defer { held = [] }
            return held
        }
        Self.all.withLock { all in
            for path in paths.reversed() {
                guard var place = all[path] else { continue }
                place.holders -= 1
                all[path] = place.holders > 0 ? place : nil
                if place.holders == 0, place.isMade { Self.removeIfEmpty(path) }
            }
        }
    }

    /// - Returns: whether it was not there.
    private static func makeFolder(_ path: String, _ plugin: String) throws -> Bool {
        guard access(path, F_OK) != 0 else {
            try check(path, is: S_IFDIR, "folder", plugin)
            return false
        }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw PluginError(
                .cannotCreate, "plugin \(plugin): its folder \(path) cannot be made: \(error.localizedDescription)")
        }
        return true
    }

    private static func makeFile(_ path: String, _ plugin: String) throws -> Bool {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard file >= 0 else {
            if errno == EEXIST {
                try check(path, is: S_IFREG, "file", plugin)
                return false
            }
            throw PluginError(.cannotCreate, "plugin \(plugin): its file \(path) cannot be made: \(systemReason())")
        }
        close(file)
        return true
    }

    /// What is there is what the plugin expects, links followed: a pipe would keep it waiting, and a file is no folder.
    private static func check(_ path: String, is kind: mode_t, _ word: String, _ plugin: String) throws {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != kind else { return }
        throw PluginError(
            .cannotCreate, "plugin \(plugin): its \(word) \(path) cannot be made: something else is there")
    }

    private static func removeIfEmpty(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR { rmdir(path) } else if status.st_size == 0 { unlink(path) }
    }
}
