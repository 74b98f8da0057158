/// What kind of thing went wrong, as a program can act on it: one set for all layers, with the names that
/// `auscult.v1.ErrorDetail.reason` has on the wire.
///
/// The set is open: a layer adds kinds of its own in an extension, and a reader that meets an unknown one treats it as any
/// other failure.
public struct ErrorCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The caller asked for something that makes no sense: a negative range, an unknown hook point, an impossible name.
    public static let invalidArgument = ErrorCode(rawValue: "invalid_argument")
    /// A file, a name or a model that is not there.
    public static let notFound = ErrorCode(rawValue: "not_found")
    /// A file that is there, but damaged or not what it says it is.
    public static let dataLoss = ErrorCode(rawValue: "data_loss")
    /// Well formed, but of a format, type or architecture that is not known here.
    public static let unsupported = ErrorCode(rawValue: "unsupported")
    /// Another process, another machine or the system stands in the way: a lock that is held, no connection, no permission.
    public static let unavailable = ErrorCode(rawValue: "unavailable")
    /// A result has nowhere to go: no such folder, no permission, something else of that name.
    public static let cannotCreate = ErrorCode(rawValue: "cannot_create")
    /// The system failed to read or write: a full disk, a broken device.
    public static let inputOutput = ErrorCode(rawValue: "input_output")
    /// The work was stopped on request.
    public static let cancelled = ErrorCode(rawValue: "cancelled")
    /// No more descriptors or memory, or too much is under way already; the same may succeed later.
    public static let resourceExhausted = ErrorCode(rawValue: "resource_exhausted")
    /// The caller's deadline passed before the work was done.
    public static let deadlineExceeded = ErrorCode(rawValue: "deadline_exceeded")
    /// The call makes sense, but not in the state that things are in: a result that is not there yet.
    public static let failedPrecondition = ErrorCode(rawValue: "failed_precondition")
    /// What was handed in does not belong together, or not to what it is used with: the states of two plugins, recordings
    /// without the labels that are needed.
    public static let mismatch = ErrorCode(rawValue: "mismatch")
    /// The caller may not do this, or someone else could read or change what lies there.
    public static let permissionDenied = ErrorCode(rawValue: "permission_denied")
    /// Nothing here does this.
    public static let unimplemented = ErrorCode(rawValue: "unimplemented")
    /// There is one of that name already.
    public static let alreadyExists = ErrorCode(rawValue: "already_exists")
}

/// An error of one of the layers. Its description is a sentence for people, which names the thing, what was expected and
/// what came; the layers above pass it on unchanged.
public protocol CodedError: Error, Sendable, CustomStringConvertible {
    var code: ErrorCode { get }
}

extension ErrorCode {
    /// The status that a program ends with (BSD's sysexits.h; 130 as a shell has it after Ctrl-C); nil for a kind that says
    /// nothing about one.
    public var exitStatus: Int32? { Self.exitStatuses[self] }

    private static let exitStatuses: [ErrorCode: Int32] = [
        .invalidArgument: 64, .dataLoss: 65, .unsupported: 65, .mismatch: 65, .notFound: 66, .unavailable: 69,
        .cannotCreate: 73, .permissionDenied: 73, .inputOutput: 74, .resourceExhausted: 75, .deadlineExceeded: 75,
        .cancelled: 130,
    ]
}
