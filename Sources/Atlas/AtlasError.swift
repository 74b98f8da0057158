import Files
import Foundation
import GRDB

/// What went wrong with an atlas: a kind that a program can act on and a sentence that a person can.
///
/// The sentence names the file, what was expected and what came. The codes are those of the other layers.
public struct AtlasError: CodedError, Equatable {
    public let code: ErrorCode
    public let message: String

    public init(_ code: ErrorCode, _ message: String) {
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
            throw AtlasError(.dataLoss, "\(path) is damaged, or not an atlas: \(error.description.firstLine)")
        } catch let error as DecodingError {
            throw AtlasError(.dataLoss, "\(path) is damaged, or not an atlas: \(error.sentence)")
        }
    }

    private init(_ error: DatabaseError, _ path: String) {
        let reason = error.message ?? "SQLite's error \(error.resultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_FULL:
            self.init(.inputOutput, "cannot write \(path): the disk is full, or the file's limit is reached")
        case .SQLITE_IOERR: self.init(.inputOutput, "cannot read or write \(path): \(reason)")
        case .SQLITE_NOTADB: self.init(.dataLoss, "\(path) is not an atlas: expected an SQLite database")
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
