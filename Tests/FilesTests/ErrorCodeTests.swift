import Files
import Testing

@Suite("Error codes") struct ErrorCodeTests {
    private struct LayerError: CodedError {
        let code: ErrorCode
        var description: String { "a sentence" }
    }

    @Test("a kind is the same in every layer, by its name")
    func names() {
        #expect(ErrorCode(rawValue: "not_found") == .notFound)
        #expect(FileError(.notFound, "a").code == LayerError(code: .notFound).code)
    }

    @Test("kinds have the statuses of sysexits.h; one that is not known has none")
    func exitStatuses() {
        #expect(ErrorCode.invalidArgument.exitStatus == 64 && ErrorCode.notFound.exitStatus == 66)
        #expect(ErrorCode.mismatch.exitStatus == 65 && ErrorCode.cancelled.exitStatus == 130)
        #expect(ErrorCode(rawValue: "of another layer").exitStatus == nil)
    }
}
