import Foundation
import TestSupport
import Testing

/// `auscult align` becomes an interpreter of Python: what it is given, and what is said where it cannot.
@Suite("Align") struct AlignCommandTests {
    let data: TemporaryFolder
    init() throws { data = try TemporaryFolder() }

    /// An interpreter that can import what it is asked for, or cannot, and otherwise tells how it was started.
    private func interpreter(importing: String = "exit 0") throws -> String {
        let path = data("python")
        let script = """
            #!/bin/sh
            if [ "$1" = -c ]; then \(importing); fi
            printf '%s\\n' "$@"
            echo "socket $AUSCULT_SOCKET"
            exit 7
            """
        try script.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }

    private func align(_ arguments: [String], python: String) throws -> CommandResult {
        try Child(["align"] + arguments, data: data, environment: ["AUSCULT_PYTHON": python]).result()
    }

    @Test("the interpreter gets every argument, the daemon's socket, and its status is the command's")
    func arguments() throws {
        let result = try align(
            ["b c.wav", "--out", "grids", "--text", "so be it", "--language", "fr", "--quiet", "--", "-a.wav"],
            python: interpreter())
        #expect(result.status == 7, "\(result.error)")
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines.prefix(2) == ["-m", "auscult.alignment"])
        for expected in [
            "--out=grids", "--text=so be it", "--language=fr", "--method=auto", "--precision=exact", "--quiet",
        ] {
            #expect(lines.contains(expected), "\(lines)")
        }
        let files = lines.drop { $0 != "--" }.dropFirst()
        #expect(files.prefix(2) == ["b c.wav", "-a.wav"])
        #expect(lines.last == "socket \(Child.socket(data))")
    }

    @Test("an interpreter without the module is told with the command that installs it")
    func notInstalled() throws {
        let python = try interpreter(
            importing: "echo Traceback >&2; echo \"ModuleNotFoundError: No module named 'auscult'\" >&2; exit 1")
        let result = try align(["a.wav"], python: python)
        #expect(result.status == 69)
        #expect(
            result.error.contains("cannot import auscult.alignment: ModuleNotFoundError: No module named 'auscult'"))
        #expect(result.error.contains("pip install './clients/python[align]'"))
        #expect(result.output.isEmpty)
    }

    @Test("an interpreter that is not there is named", arguments: ["/nowhere/python3", "no-such-python"])
    func noInterpreter(python: String) throws {
        let result = try align(["a.wav"], python: python)
        #expect(result.status == 69)
        #expect(result.error.contains(python))
    }

    @Test(
        "command lines that make no sense are refused before anything starts",
        arguments: [
            ([], "Missing expected argument"), (["-"], "Standard input"), (["a.wav", "--method", "magic"], "magic"),
            (["a.wav", "--score", "--out", "x"], "--score writes nothing"),
            (["a.wav", "--text", "a", "--transcribe"], "exclude each other"),
        ] as [([String], String)])
    func refused(arguments: [String], message: String) throws {
        let result = try align(arguments, python: "/nowhere/python3")
        #expect(result.status == 64)
        #expect(result.error.contains(message), "\(result.error)")
    }
}
