import Foundation

/// What went wrong with a file, a folder or a socket's path: a kind that a program can act on and a sentence that a
/// person can.
///
/// The sentence names the thing, what was expected and what came. The layers above pass these errors on unchanged.
public struct FileError: CodedError, Equatable {
    public let code: ErrorCode
    public let message: String

    public init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    /// An error about `path` after a system call failed while a file was made there.
    package static func cannotWrite(_ path: String, _ reason: Int32 = errno) -> FileError {
        let code: ErrorCode =
            switch reason {
            case ENOSPC, EDQUOT, EIO, EFBIG: .inputOutput
            case EMFILE, ENFILE, ENOMEM: .resourceExhausted
            default: .cannotCreate
            }
        return FileError(code, "cannot write \(path): \(systemReason(reason))")
    }

    /// An error about `path` after a system call failed while it was read.
    package static func cannotRead(_ path: String, _ reason: Int32 = errno) -> FileError {
        let code: ErrorCode =
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
