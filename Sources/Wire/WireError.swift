import Messages

/// How a call failed: gRPC's code, a sentence, and a finer reason where there is one.
public struct WireError: Error, Sendable, Hashable, CustomStringConvertible {
    /// gRPC's codes, 0 to 16. An open set: a number that is not known is a code like any other.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }

        public static let ok = Code(rawValue: 0)
        public static let cancelled = Code(rawValue: 1)
        public static let unknown = Code(rawValue: 2)
        public static let invalidArgument = Code(rawValue: 3)
        public static let deadlineExceeded = Code(rawValue: 4)
        public static let notFound = Code(rawValue: 5)
        public static let alreadyExists = Code(rawValue: 6)
        public static let permissionDenied = Code(rawValue: 7)
        public static let resourceExhausted = Code(rawValue: 8)
        public static let failedPrecondition = Code(rawValue: 9)
        public static let aborted = Code(rawValue: 10)
        public static let outOfRange = Code(rawValue: 11)
        public static let unimplemented = Code(rawValue: 12)
        public static let `internal` = Code(rawValue: 13)
        public static let unavailable = Code(rawValue: 14)
        public static let dataLoss = Code(rawValue: 15)
        public static let unauthenticated = Code(rawValue: 16)

        private static let names = [
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
            "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
            "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        ]

        /// gRPC's name: `NOT_FOUND`.
        public var description: String {
            Self.names.indices.contains(Int(rawValue)) ? Self.names[Int(rawValue)] : "CODE_\(rawValue)"
        }
    }

    public let code: Code
    public let message: String
    /// `ErrorDetail.reason`; empty where there is none.
    public let reason: String

    public init(_ code: Code, _ message: String, reason: String = "") {
        self.code = code
        self.message = message
        self.reason = reason
    }

    public var description: String { message.isEmpty ? code.description : message }
}

// MARK: - On the wire

extension WireError {
    private static var detailType: String { "type.googleapis.com/" + V1.ErrorDetail.fullName }

    /// The most bytes of a message: one that quotes what a peer sent may be as long as that.
    private static let longestMessage = 8192

    /// The status that ends a call with this error.
    var status: GoogleRPC.Status {
        let detail = V1.ErrorDetail(reason: reason).serialized()
        // Bytes and not characters: a single character may have any number of marks on it.
        let message =
            message.utf8.count <= Self.longestMessage
            ? message : String(decoding: message.utf8.prefix(Self.longestMessage), as: UTF8.self)
        // An error is none where its code says that all is well.
        return GoogleRPC.Status(
            code: (code == .ok ? Code.unknown : code).rawValue, message: message,
            details: reason.isEmpty ? [] : [GoogleProtobuf.AnyMessage(typeUrl: Self.detailType, value: detail)])
    }

    /// The error that a status stands for; details of types that we do not know are passed over.
    init(_ status: GoogleRPC.Status) {
        let detail = status.details.first { $0.typeUrl == Self.detailType }
        let reason = detail.flatMap { try? V1.ErrorDetail(serialized: $0.value).reason }
        self.init(Code(rawValue: status.code), status.message, reason: reason ?? "")
    }

    /// An error about a message that cannot be read.
    init(_ error: MessageError) {
        switch error.kind {
        case .malformed: self.init(.invalidArgument, error.message)
        case .tooLarge: self.init(.resourceExhausted, error.message)
        }
    }

    static let draining = WireError(
        .unavailable, "the daemon is stopping and takes no new calls", reason: "unavailable")
    static let connectionClosed = WireError(.unavailable, "the connection was closed", reason: "unavailable")
}
