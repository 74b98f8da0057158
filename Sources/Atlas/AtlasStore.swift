import Files
import Foundation
import GRDB

/// An atlas: features of models with what excites them, in one SQLite file.
///
/// Any number of processes and threads may read while one writes (write-ahead logging); readers see complete scans
/// only, each as it was at one moment. Nothing of a transaction is lost or half there when a process is killed.
public final class AtlasStore: Sendable {
    public enum Mode: Sendable {
        /// An atlas that is there. One of an older version is brought up to date first.
        case read
        /// Made where there is none. One value at a time, among all processes.
        case write
    }

    /// Absolute.
    public let path: String
    public let mode: Mode
    let database: DatabasePool
    private let lock: FileLock?
    /// Whether there was no file before.
    private let isMade: Bool

    /// - Parameter path: where the file lies.
    /// - Throws: ``AtlasError``: `notFound`, `dataLoss` for a file that is no atlas or damaged, `unsupported` for a newer
    ///   atlas, `unavailable` for a second writer; ``Files/FileError`` where the file cannot be made.
    public init(path: String, mode: Mode) throws {
        let path = URL(fileURLWithPath: path).standardizedFileURL.path
        try Self.checkFile(path, mode)
        self.path = path
        self.mode = mode
        switch mode {
        case .read:
            lock = nil
            isMade = false
            let version = try Self.version(path)
            guard version > 0 else { throw AtlasError(.dataLoss, "\(path) is not an atlas: it is empty") }
            if version < AtlasSchema.version { _ = try AtlasStore(path: path, mode: .write) }
            database = try Self.pool(path, readonly: true)
        case .write:
            guard let lock = try FileLock(beside: path) else {
                throw AtlasError(.unavailable, "another command, or another process, writes to \(path)")
            }
            self.lock = lock
            isMade = !FileManager.default.fileExists(atPath: path)
            if !isMade { _ = try Self.version(path) }
            database = try Self.pool(path, readonly: false)
            try AtlasError.explaining(path) { try AtlasSchema.migrator.migrate(database) }
        }
    }

    /// Removes an atlas that this value has made and that holds no scan, complete or not. Nobody uses the value afterwards.
    /// - Returns: whether it was removed.
    @discardableResult
    public func discardIfEmpty() throws -> Bool {
        let isEmpty = try write { db in try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM scans") == 0 }
        guard isMade, isEmpty else { return false }
        try AtlasError.explaining(path) { try database.close() }
        for file in [path, path + "-wal", path + "-shm"] where unlink(file) != 0 && errno != ENOENT {
            throw FileError.cannotWrite(file)
        }
        return true
    }

    /// Limits the file to so many bytes, whole pages; for tests of a full disk.
    package func limit(bytes: Int) throws {
        try AtlasError.explaining(path) {
            try database.writeWithoutTransaction { db in
                let page = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
                try db.execute(sql: "PRAGMA max_page_count = \(max(1, bytes / page))")
            }
        }
    }

    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try AtlasError.explaining(path) { try database.read(body) }
    }

    /// All of `body`, or nothing of it.
    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        guard mode == .write else {
            throw AtlasError(.invalidArgument, "\(path) was opened for reading")
        }
        return try AtlasError.explaining(path) { try database.write(body) }
    }

    private static func checkFile(_ path: String, _ mode: Mode) throws {
        // SQLite would be told another name.
        guard PathText.bytes(path).elementsEqual(path.utf8) else {
            throw AtlasError(
                .invalidArgument, "an atlas cannot be called \(PathText.shown(path)): expected a name in UTF-8")
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT, mode == .write else {
                if errno == ENOENT { throw AtlasError(.notFound, "there is no atlas \(path)") }
                throw FileError.cannotRead(path)
            }
            return
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw AtlasError(.dataLoss, "\(path) is not an atlas: expected a file")
        }
        guard mode == .read || status.st_nlink == 1 else {
            // SQLite's log lies beside the name that it was told, and the others would not know of it.
            throw AtlasError(
                .cannotCreate,
                "cannot write \(path): the file has \(status.st_nlink) names (hard links), and an atlas can have one only; "
                    + "copy it")
        }
        guard access(path, R_OK) == 0 else { throw FileError.cannotRead(path) }
    }

    /// The version of the atlas at `path`, 0 for an empty file or database.
    private static func version(_ path: String) throws -> Int {
        try AtlasError.explaining(path) {
            try rollBack(path)
            let pool = try pool(path, readonly: true)
            defer { try? pool.close() }
            return try pool.read { db in
                let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
                let tables = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
                if application == 0, tables == 0 { return 0 }
                guard application == Int(AtlasSchema.applicationID) else {
                    throw AtlasError(.dataLoss, "\(path) is not an atlas: it is an SQLite database of something else")
                }
                let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
                guard version <= AtlasSchema.version, try !AtlasSchema.migrator.hasBeenSuperseded(db) else {
                    throw AtlasError(
                        .unsupported,
                        "\(path) is an atlas of version \(version); this program knows \(AtlasSchema.version) and earlier"
                    )
                }
                return version
            }
        }
    }

    /// Undoes what a process that was killed at its very first write has left, which a connection that only reads may not.
    private static func rollBack(_ path: String) throws {
        guard access(path + "-journal", F_OK) == 0 else { return }
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        _ = try queue.read { db in try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") }
    }

    private static func pool(_ path: String, readonly: Bool) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.readonly = readonly
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 8
        configuration.prepareDatabase { db in
            // Those that read for a writer are as they are in any other process.
            guard !db.configuration.readonly else { return }
            // What is committed survives a power failure. Room that a replaced scan leaves can be given back, which a
            // database has to know before its first table.
            try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA auto_vacuum = INCREMENTAL")
        }
        return try AtlasError.explaining(path) {
            do {
                return try DatabasePool(path: path, configuration: configuration)
            } catch let error as DatabaseError where readonly && error.resultCode == .SQLITE_CANTOPEN {
                // On a medium that cannot be written to there is no place for the files that readers and writers agree
                // by; as there are no writers either, none are needed.
                guard access((path as NSString).deletingLastPathComponent, W_OK) != 0 else { throw error }
                return try DatabasePool(path: immutableAddress(path), configuration: configuration)
            }
        }
    }

    private static func immutableAddress(_ path: String) -> String {
        let escaped = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
        return "file:\(escaped)?immutable=1"
    }
}
