import Foundation

/// What went wrong with a file, a folder or a socket's path: a kind that a program can act on and a sentence that a
/// person can.
///
/// The sentence names the thing, what was expected and what came. The layers above pass these errors on unchanged.
public struct FileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds are an open set: a reader that meets an unknown one treats it as any other failure.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The caller asked for something that makes no sense: a path that is too long to be a socket's.
        public static let invalidArgument = Code(rawValue: "invalid_argument")
        /// A file that is not there.
        public static let notFound = Code(rawValue: "not_found")
        /// Another process stands in the way: a lock that is held.
        public static let unavailable = Code(rawValue: "unavailable")
        /// A result has nowhere to go: no such folder, no permission, something else of that name.
        public static let cannotCreate = Code(rawValue: "cannot_create")
        /// The system failed to read or write: a full disk, a broken device.
        public static let inputOutput = Code(rawValue: "input_output")
        /// The process has no more descriptors, or the system no more memory; the same may succeed later.
        public static let resourceExhausted = Code(rawValue: "resource_exhausted")
        /// Someone else could read or change what lies there: a folder of another user, or one that all may write to.
        public static let permissionDenied = Code(rawValue: "permission_denied")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    /// An error about `path` after a system call failed while a file was made there.
    package static func cannotWrite(_ path: String, _ reason: Int32 = errno) -> FileError {
        let code: Code =
            switch reason {
            case ENOSPC, EDQUOT, EIO, EFBIG: .inputOutput
            case EMFILE, ENFILE, ENOMEM: .resourceExhausted
            default: .cannotCreate
            }
        return FileError(code, "cannot write \(path): \(systemReason(reason))")
    }

    /// An error about `path` after a system call failed while it was read.
    package static func cannotRead(_ path: String, _ reason: Int32 = errno) -> FileError {
        let code: Code =
            switch reason {
            case ENOENT, ENOTDIR: .notFound
            case EMFILE, ENFILE, ENOMEM: .resourceExhausted
            default: .inputOutput
            }
        return FileError(code, "cannot read \(path): \(systemReason(reason))")
    }

    /// An error about `path`, which is of another kind (of `st_mode`) than a regular file.
    package static func notRegular(_ path: String, _ kind: mode_t) -> FileError {
        let what =
            switch kind {
            case S_IFDIR: "a folder"
            case S_IFIFO: "a pipe"
            case S_IFSOCK: "a socket"
            default: "a device"
            }
        return FileError(.invalidArgument, "\(path) is \(what); expected a regular file")
    }
}

/// The reason of the last failed system call, in words: "No space left on device".
package func systemReason(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }
