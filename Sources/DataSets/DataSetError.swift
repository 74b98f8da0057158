import Files

extension ErrorCode {
    /// A file of a folder that is no recording; nothing is wrong with it.
    public static let leftOut = ErrorCode(rawValue: "left_out")
    /// A key of a manifest that nothing is made of; the recordings are there.
    public static let ignored = ErrorCode(rawValue: "ignored")
}

/// What went wrong with a data set: a kind that a program can act on and a sentence that a person can, with the file
/// and the line in it.
public struct DataSetError: CodedError, Equatable {
    public let code: ErrorCode
    public let file: String
    /// From 1; nil where it is the whole file.
    public let line: Int?
    /// What was expected and what came.
    public let problem: String

    /// Whether a recording is lost by it, which somebody counted on.
    public var losesRecording: Bool { code != .leftOut && code != .ignored }

    public init(_ code: ErrorCode, file: String, line: Int? = nil, _ problem: String) {
        self.code = code
        self.file = file
        self.line = line
        self.problem = problem
    }

    public var description: String { "\(file)\(line.map { ", line \($0)" } ?? ""): \(problem)" }
}

/// What came, short enough for a message and without characters that steer a terminal.
func quoted(_ text: some StringProtocol) -> String {
    let clean = String(String.UnicodeScalarView(text.unicodeScalars.prefix(60).map { $0.value < 0x20 ? " " : $0 }))
    return "'\(clean)\(text.unicodeScalars.count > 60 ? "…" : "")'"
}
