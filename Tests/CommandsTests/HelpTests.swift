import Commands
import Daemon
import Foundation
import TestSupport
import Testing

@Suite("Help") struct HelpTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .appendingPathComponent("Fixtures/commands")

    @Test(
        "help reads as it was agreed; Tests/Fixtures/commands/generate.sh writes it anew",
        arguments: [
            [], ["transcribe"], ["listen"], ["devices"], ["hooks"], ["trace"], ["models"],
            ["models", "list"], ["models", "add"],
            ["models", "remove"], ["models", "pull"], ["precision"], ["samples"], ["samples", "list"],
            ["samples", "export"],
            ["jobs"], ["jobs", "list"], ["jobs", "watch"], ["jobs", "result"], ["jobs", "cancel"], ["jobs", "forget"],
            ["atlas"], ["atlas", "build"], ["atlas", "show"], ["atlas", "card"], ["atlas", "listen"],
            ["atlas", "serve"],
            ["atlas", "export"], ["reproduce"], ["verify"], ["align"],
            ["status"], ["stop"], ["call"], ["bridge"], ["run"], ["merge"], ["plugins"], ["plugins", "list"],
            ["plugins", "show"], ["plugins", "new"], ["plugins", "validate"],
        ])
    func snapshot(command: [String]) throws {
        let name = (["help"] + command).joined(separator: "-") + ".txt"
        let expected = try String(contentsOf: Self.fixtures.appendingPathComponent(name), encoding: .utf8)
        let result = try Child(command + ["--help"], data: TemporaryFolder()).result()
        #expect(result.status == 0)
        #expect(result.error.isEmpty)
        #expect(result.output == expected)
    }

    @Test("every exit status is in the help")
    func exitStatus() async throws {
        let help = try await auscult("--help").output
        for status in [0, 64, 65, 66, 69, 73, 74, 75, 130] { #expect(help.contains("\n  \(status) ")) }
    }

    @Test("the models that help names are those that the daemon can download")
    func released() {
        #expect(ReleasedNames.all == ReleasedModel.all.map(\.name))
        #expect(ReleasedNames.aliases == ReleasedModel.all.flatMap(\.aliases))
    }

    @Test("the version is printed")
    func version() async throws {
        let result = try await auscult("--version")
        #expect(result.status == 0)
        #expect(result.output.first?.isNumber == true)
    }

    @Test("there are completions for each shell", arguments: ["bash", "zsh", "fish"])
    func completions(shell: String) async throws {
        let result = try await auscult("--generate-completion-script", shell)
        #expect(result.status == 0)
        #expect(result.output.contains("transcribe"))
    }
}
