import Files
import Foundation
import GRDB

/// What went wrong with an atlas: a kind that a program can act on and a sentence that a person can.
///
/// The sentence names the file, what was expected and what came. The codes are those of the other layers.
public struct AtlasError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds are an open set: a reader that meets an unknown one treats it as any other failure.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The caller asked for something that makes no sense.
        public static let invalidArgument = Code(rawValue: "invalid_argument")
        /// No such atlas, feature or recording.
        public static let notFound = Code(rawValue: "not_found")
        /// The file is no atlas or damaged, or a table is not as it should be.
        public static let dataLoss = Code(rawValue: "data_loss")
        /// The atlas was written by a newer program.
        public static let unsupported = Code(rawValue: "unsupported")
        /// Another process writes to it.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The file cannot be made or changed here.
        public static let cannotCreate = Code(rawValue: "cannot_create")
        /// The system failed to read or write: a full disk, a broken device.
        public static let inputOutput = Code(rawValue: "input_output")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    /// Runs `body`, and says of what SQLite reports what it means for the atlas at `path`.
    static func explaining<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw AtlasError(error, path)
        } catch let error as RowDecodingError {
            throw AtlasError(.dataLoss, "\(path) is damaged, or no atlas: \(error.description.firstLine)")
        } catch let error as DecodingError {
            throw AtlasError(.dataLoss, "\(path) is damaged, or no atlas: \(error.sentence)")
        }
    }

    private init(_ error: DatabaseError, _ path: String) {
        let reason = error.message ?? "SQLite's error \(error.resultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_FULL:
            self.init(.inputOutput, "cannot write \(path): the disk is full, or the file's limit is reached")
        case .SQLITE_IOERR: self.init(.inputOutput, "cannot read or write \(path): \(reason)")
        case .SQLITE_NOTADB: self.init(.dataLoss, "\(path) is no atlas: expected an SQLite database")
        case .SQLITE_CORRUPT: self.init(.dataLoss, "\(path) is damaged: \(reason)")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.unavailable, "\(path) is being changed by another process: \(reason)")
        case .SQLITE_READONLY, .SQLITE_PERM: self.init(.cannotCreate, "cannot write \(path): \(reason)")
        case .SQLITE_CANTOPEN: self.init(.inputOutput, "cannot open \(path): \(reason)")
        // What a whole atlas never says: a table or a column is missing, a rule of the schema is broken.
        case .SQLITE_ERROR, .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG:
            self.init(.dataLoss, "\(path) is not a whole atlas: \(reason)")
        default: self.init(.inputOutput, "\(path): \(reason)")
        }
    }
}

extension String {
    fileprivate var firstLine: String { String(prefix { $0 != "\n" }) }
}

extension DecodingError {
    fileprivate var sentence: String {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            let place = context.codingPath.map(\.stringValue).joined(separator: ".")
            return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
        @unknown default: return "\(self)"
        }
    }
}
