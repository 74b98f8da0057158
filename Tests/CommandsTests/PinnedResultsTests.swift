import AtlasSupport
import Foundation
import TensorFiles
import TestSupport
import Testing

/// What commands gave when `Tests/Fixtures/pinned/digests.json` was written, to the last bit.
///
/// They run with the plain loops of every operation (`AUSCULT_KERNELS=reference`), whose sums have one order on every
/// machine. What is left of the machine is the C library's functions; ``Mathematics`` looks whether they are those of
/// then. `Tests/Fixtures/pinned/generate.sh` writes the digests anew, for a change that is meant to change results.
@Suite(
    "Results are to the bit what they were", .serialized, .timeLimit(.minutes(30)),
    .enabled(
        if: PinnedDigests.isWriting || PinnedDigests.mathematics == Mathematics.digest,
        "exp, erf or another function of this C library differs in its last bits from that of the digests"))
struct PinnedResultsTests {
    let data: TemporaryFolder

    init() throws {
        data = try TemporaryFolder()
        // Analyses as they were built beside the tests, where the daemon looks.
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        for plugin in ["attention-stats", "features"] {
            let bundle = data("auscult/plugins/org.auscult.\(plugin)")
            try FileManager.default.createDirectory(atPath: bundle, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: package.appending(path: "plugins/\(plugin)/manifest.json").path,
                toPath: bundle + "/manifest.json")
            try FileManager.default.copyItem(atPath: Child.built("lib\(plugin).so"), toPath: bundle + "/plugin.so")
        }
    }

    @discardableResult
    private func auscult(_ arguments: [String]) throws -> String {
        let environment = ["AUSCULT_KERNELS": "reference"]
        let result = try Child(arguments, data: data, environment: environment, folder: data.path).result()
        try #require(result.status == 0, "\(arguments): \(result.error)")
        return result.output
    }

    private static let traces: [(name: String, arguments: [String])] = [
        ("whole window", []),
        ("padded log-mel", ["--padding", "mel"]),
        ("short context", ["--context", "auto"]),
        ("ablated heads", ["--context", "auto", "--intervene", "encoder.blocks.1.attn.z @heads 0,2 = zero"]),
        ("gradients", ["--context", "auto", "--objective", "transcript"]),
    ]

    @Test("a trace's tensors: whole and short windows, both paddings, an intervention, gradients", arguments: traces)
    func trace(name: String, arguments: [String]) throws {
        let hooks = [
            "log_mel", "encoder.blocks.*", "encoder.blocks.1.attn.pattern", "encoder.blocks.2.mlp.1", "decoder.*",
        ]
        try auscult(["trace", "demo:en-kal-02", "--out", "t.safetensors", "-q"] + arguments + ["--hooks"] + hooks)
        let file = try SafetensorsFile(path: data("t.safetensors"))
        var bytes: [UInt8] = []
        for tensor in file.names {
            let values = try file.tensor(named: tensor)
            bytes += Array("\(tensor) \(values.shape)\n".utf8)
            values.elements.withUnsafeBytes { bytes += $0 }
        }
        try PinnedDigests.check("trace, \(name)", bytes)
    }

    @Test("a transcript with its words' times and probabilities")
    func transcript() throws {
        let json = try auscult(["transcribe", "demo:en-kal-02", "--word-timestamps", "--format", "json", "-q"])
        try PinnedDigests.check("transcript", Array(json.utf8))
    }

    @Test("a plugin's run: its tables and arrays")
    func run() throws {
        try auscult([
            "run", "attention-stats", "demo:en-kal-02", "demo:en-awb-02", "--out", "r", "-q", "--context", "auto",
        ])
        try PinnedDigests.check("run", try numbers("r"))
    }

    @Test("an atlas: every row of every table")
    func atlas() throws {
        try auscult(
            [
                "atlas", "build", "demo:en-kal-02", "demo:en-awb-02", "--out", "a", "--hooks", "encoder.blocks.1.mlp.1",
                "-p", "k=3", "-p", "permutations=20", "-p", "minimum=3", "--context", "auto", "-q",
            ])
        try PinnedDigests.check("atlas", Array(try AtlasContents(data("a")).lines.joined(separator: "\n").utf8))
    }

    @Test("a section of the reproduction: its tables and arrays")
    func reproduction() throws {
        try auscult(["reproduce", "demo:en-kal-02", "demo:en-awb-02", "--only", "words", "--out", "p", "-q"])
        try PinnedDigests.check("reproduction", try numbers("p"))
    }

    /// All files of numbers in a folder, with their names: pictures and sounds are libraries' work as well.
    private func numbers(_ folder: String) throws -> [UInt8] {
        let files = try FileManager.default.subpathsOfDirectory(atPath: data(folder)).sorted()
            .filter { $0.hasSuffix(".csv") || $0.hasSuffix(".npy") }
        try #require(!files.isEmpty)
        return try files.flatMap {
            Array("\($0)\n".utf8) + (try Data(contentsOf: URL(filePath: data("\(folder)/\($0)"))))
        }
    }
}
