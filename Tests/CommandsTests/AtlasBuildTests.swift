import Atlas
import AtlasSupport
import Dictionaries
import Foundation
import Kernels
import TensorFiles
import TestSupport
import Testing

@Suite("auscult atlas build", .serialized, .timeLimit(.minutes(10))) struct AtlasBuildTests {
    let data: TemporaryFolder
    static let hook = "encoder.blocks.1.mlp.1"

    init() throws {
        data = try TemporaryFolder()
        // The plugin as it was built beside the tests.
        let bundle = data("auscult/plugins/org.auscult.features")
        try FileManager.default.createDirectory(atPath: bundle, withIntermediateDirectories: true)
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        try FileManager.default.copyItem(
            atPath: package.appending(path: "plugins/features/manifest.json").path, toPath: bundle + "/manifest.json")
        try FileManager.default.copyItem(
            atPath: Child.built("libfeatures.so"), toPath: bundle + "/plugin.so")
    }

    private func build(_ out: String, _ more: [String] = [], inputs: [String] = ["demo:"]) throws -> Child {
        let arguments = ["-p", "k=3", "-p", "permutations=20", "-p", "minimum=3"]
        return try Child(
            ["atlas", "build"] + inputs + ["--out", out, "--hooks", Self.hook] + arguments + more, data: data)
    }

    @Test("the padding of a scan is chosen, and kept with it")
    func padding() throws {
        let result = try build(data("a"), ["--padding", "mel"]).result()
        #expect(result.status == 0, "\(result.error)")
        let scans = try AtlasStore(path: data("a"), mode: .read).scans().map(\.scan)
        #expect(scans.map(\.provenance?.padding) == ["mel"])
        #expect(scans.map { $0.arguments["padding"] } == ["mel"])
    }

    @Test("a scan of the embedded clips is a whole atlas, and the same command again makes the same one in its place")
    func demo() throws {
        let result = try build(data("a")).result()
        #expect(result.status == 0, "\(result.error)")
        let store = try AtlasStore(path: data("a"), mode: .read)
        let scan = try #require(try store.scans().first)
        #expect(scan.scan.status == .complete && scan.scan.plugin == "org.auscult.features")
        #expect(scan.model.sha256.count == 64 && (scan.model.dimensions["n_audio_state"] ?? 0) > 0)
        #expect(scan.scan.arguments["hooks"] == Self.hook && scan.scan.arguments["k"] == "3")
        let features = try store.features(AtlasQuery()).total
        #expect(scan.hooks.map(\.hook) == [Self.hook] && scan.hooks.first?.features == features && features > 0)
        let recordings = try store.recordings(scan: scan.scan.id)
        #expect(recordings.count == scan.dataSet.recordings && recordings.count > 10)
        #expect(recordings.allSatisfy { $0.path == $0.name && $0.sha256?.count == 64 })
        // Every example lies in its recording, the best first, and is what its own curve says.
        for row in try store.features(AtlasQuery()).rows {
            let card = try store.card(feature: row.feature.id)
            #expect(card.examples.first?.example.value == card.feature.maximum)
            for example in card.examples {
                let place = example.example.frame - (example.example.curveFirst ?? 0)
                let value = example.activation.indices.contains(place) ? example.activation[place] : .nan
                #expect(abs(Double(value) - example.example.value) <= 0.001 * abs(example.example.value) + 1e-4)
                #expect(example.example.frame < example.recording.frames ?? 0)
            }
            #expect(card.histogram.map(\.count).reduce(0, +) <= card.feature.frames ?? 0)
        }
        let before = try AtlasContents(data("a")).lines
        #expect(try build(data("a")).result().status == 0)
        #expect(try AtlasContents(data("a")).lines == before)
        #expect(try store.scans().count == 1)
        #expect(try !data.names().contains { $0.hasSuffix(".checkpoint") || $0.hasSuffix(".lock") })
    }

    @Test("a recording that cannot be read is left out and noted, or ends the command, as it was told")
    func brokenRecording() throws {
        try FileManager.default.createDirectory(atPath: data("set"), withIntermediateDirectories: true)
        try data.write(WAV.bytes(WAV.tone(seconds: 1)), to: "set/good.wav")
        try data.write(Array("no sound".utf8), to: "set/bad.wav")
        let result = try build(data("a"), inputs: [data("set")]).result()
        #expect(result.status == 0 && result.output.contains("1 recordings, 1 left out"), "\(result.error)")
        let scan = try #require(try AtlasStore(path: data("a"), mode: .read).scans().first)
        #expect(scan.problems.map(\.recording) == ["bad.wav"])
        #expect(scan.problems.first?.reason.contains("not a sound file") == true)
        let stopped = try build(data("b"), ["--stop-at-broken"], inputs: [data("set")]).result()
        #expect(stopped.status != 0 && stopped.error.contains("bad.wav"))
        #expect(!FileManager.default.fileExists(atPath: data("b")))
    }

    @Test("where no recording can be read nothing is left, and the same command succeeds when one can be")
    func nothingToHear() throws {
        try FileManager.default.createDirectory(atPath: data("set"), withIntermediateDirectories: true)
        try data.write(Array("no sound".utf8), to: "set/a.wav")
        let before = try data.names()
        let failed = try build(data("a"), inputs: [data("set")]).result()
        #expect(failed.status == 65, "\(failed.status): \(failed.error)")
        #expect(failed.error.contains("the recording could not be read"), "\(failed.error)")
        #expect(failed.error.contains("a.wav: ") && !failed.error.contains("table"), "\(failed.error)")
        for name in ["b", "c", "d", "e", "f"] { try data.write(Array("no sound".utf8), to: "set/\(name).wav") }
        let more = try build(data("a"), inputs: [data("set")]).result()
        #expect(more.error.contains("none of 6 recordings could be read"), "\(more.error)")
        #expect(more.error.contains("and 1 more"), "\(more.error)")
        for name in ["b", "c", "d", "e", "f"] { try FileManager.default.removeItem(atPath: data("set/\(name).wav")) }
        #expect(try data.names() == before)
        try data.write(WAV.bytes(WAV.tone(seconds: 1)), to: "set/a.wav")
        let result = try build(data("a"), inputs: [data("set")]).result()
        #expect(result.status == 0 && result.output.contains("1 recordings"), "\(result.error)")
    }

    @Test("a scan says how it was made, and so does an atlas that another command reads")
    func provenance() throws {
        #expect(try build(data("a"), ["--context", "auto", "--seed", "7"]).result().status == 0)
        let scan = try #require(try AtlasStore(path: data("a"), mode: .read).scans().first).scan
        let made = try #require(scan.provenance)
        #expect(made.context == "auto" && made.precision == "exact" && made.padding == "sound" && scan.seed == "7")
        #expect(made.interventions.isEmpty && made.recordingsSha256.count == 64 && !made.version.isEmpty)
        #expect(made.arguments["k"] == "3" && (made.arguments.count > scan.arguments.count))
        let shown = try Child(["atlas", "show", data("a"), "--scans", "--format", "json"], data: data).result()
        #expect(shown.output.contains("recordings_sha256"), "\(shown.output.prefix(2000))")
    }

    @Test("a scan that is detached is the same, also where the daemon is killed and the command is given again")
    func detached() throws {
        #expect(try build(data("plain")).result().status == 0)
        let expected = try AtlasContents(data("plain")).lines
        let job = try build(data("job"), ["--detach"]).result()
        let id = job.output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(job.status == 0 && !id.isEmpty && !id.contains(" "), "\(job.error)")
        // While it writes, nobody else does.
        let watched = try Child(["jobs", "watch", id], data: data).result()
        #expect(watched.status == 0, "\(watched.error)")
        #expect(try AtlasContents(data("job")).lines == expected)
        let result = try Child(["jobs", "result", id], data: data).result()
        #expect(result.status == 0 && result.output.contains(Self.hook), "\(result.error) \(result.output)")
        // Killed in its course.
        let other = try build(data("killed"), ["--detach"]).result()
        #expect(other.status == 0)
        if let daemon = daemonProcess() { kill(daemon, SIGKILL) }
        let last = try build(data("killed")).result()
        #expect(last.status == 0, "\(last.error)")
        #expect(try AtlasContents(data("killed")).lines == expected)
        #expect(try !data.names().contains { $0.hasSuffix(".checkpoint") || $0.hasSuffix(".lock") })
        // One that is cancelled leaves no atlas.
        let third = try build(data("cancelled"), ["--detach"]).result()
        let name = third.output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(try Child(["jobs", "cancel", name], data: data).result().status == 0)
        _ = try Child(["jobs", "watch", name], data: data).result()
        #expect(!FileManager.default.fileExists(atPath: data("cancelled")))
    }

    @Test("two names of one atlas, by a symbolic link, are one: the second scan is told so or comes after the first")
    func links() throws {
        #expect(symlink("a", data("b")) == 0)
        let commands = [try build(data("a")), try build(data("b"))]
        let results = commands.map { $0.result() }
        #expect(results.contains { $0.status == 0 }, "\(results)")
        for result in results where result.status != 0 {
            #expect(result.error.contains("writes to") || result.error.contains("keeps its state"), "\(result.error)")
        }
        #expect(try AtlasStore(path: data("a"), mode: .read).scans().count == 1)
    }

    /// Three features of the residual stream: x₀, x₁, and 2 x₀ − 3 x₂, as rows of a matrix.
    private static func rows(of width: Int) -> [Float] {
        var rows = [Float](repeating: 0, count: 3 * width)
        (rows[0], rows[width + 1], rows[2 * width], rows[2 * width + 2]) = (1, 1, 2, -3)
        return rows
    }

    private func scan(_ out: String, _ arguments: [String]) throws -> CommandResult {
        // From the folder that the paths are relative to.
        try Child(
            ["atlas", "build", "demo:", "--out", out, "-p", "k=5", "-p", "permutations=20", "-p", "sides=both"]
                + arguments,
            data: data, folder: data.path
        ).result()
    }

    private func values(_ store: AtlasStore, _ scan: Int64, _ feature: Int) throws -> [String] {
        try store.card(hook: "encoder.blocks.1", number: feature, scan: scan).examples.map {
            "\($0.example.side) \($0.recording.number) \($0.example.frame) \($0.example.value)"
        }
    }

    @Test(
        "neurons, a dictionary's latents and directions of one hook point are three scans, and are what they are made of"
    )
    func made() throws {
        let hook = "encoder.blocks.1"
        #expect(try scan("a", ["--hooks", hook]).status == 0)
        let store = try AtlasStore(path: data("a"), mode: .read)
        let plain = try #require(try store.scans().first?.scan.id)
        let width = try #require(try store.scans().first?.hooks.first?.features)
        let matrix = Tensor(shape: [3, width], Self.rows(of: width))
        try SparseDictionary(
            encoder: matrix, decoder: matrix, encoderBias: [0, 0, 0], decoderBias: .init(repeating: 0, count: width),
            activation: .relu, hook: hook
        ).write(to: data("dictionary"))
        let file = try SafetensorsOutput(
            path: data("d.safetensors"), [.init(hook, [3, width])],
            metadata: ["names": "[\"first\",\"second\",\"both\"]"])
        try file.append(Self.rows(of: width))
        try file.finish()
        for argument in ["dictionary=dictionary", "directions=d.safetensors"] {
            let result = try scan("a", ["-p", argument])
            #expect(result.status == 0 && result.output.contains("\(hook)  3"), "\(result.error)")
        }
        #expect(try store.scans().map { $0.hooks.map(\.features) } == [[3], [3], [width]])
        let (directions, latents) = (plain + 2, plain + 1)
        for feature in 0..<2 {
            let expected = try values(store, plain, feature)
            #expect(try values(store, directions, feature) == expected)
            // A latent is the same where that is above zero, and has no other side.
            let above = expected.filter { $0.hasPrefix("+") && !$0.contains(" -") }
            #expect(try values(store, latents, feature) == above && above.count > 2)
        }
        #expect(try store.card(hook: hook, named: "both").feature.scanId == directions)
        #expect(try store.card(hook: hook, named: "latent 2").feature.scanId == latents)
        // Whoever asks for a moment by the name of its latent hears it.
        let listened = try Child(
            ["atlas", "listen", "a", hook, "latent 2", "--rank", "1", "--picture", "none", "--out", "sounds"],
            data: data,
            folder: data.path
        ).result()
        #expect(listened.status == 0 && listened.output.hasPrefix("sounds/top-01-"), "\(listened.error)")
        // Again, each takes its own place.
        #expect(try scan("a", ["-p", "dictionary=dictionary"]).status == 0)
        #expect(try store.scans().count == 3)
    }

    @Test(
        "dictionaries and directions that are none, damaged or of another width are refused by name, and nothing is written"
    )
    func badMakers() throws {
        let hook = "encoder.blocks.1"
        let matrix = Tensor(shape: [2, 3], [1, 0, 0, 0, 1, 0] as [Float])
        let narrow = try SparseDictionary(
            encoder: matrix, decoder: matrix, encoderBias: [0, 0], decoderBias: [0, 0, 0], activation: .relu, hook: hook
        )
        for folder in ["narrow", "cut", "garbled"] { try narrow.write(to: data(folder)) }
        let weights = try Data(contentsOf: URL(filePath: data("cut/sae_weights.safetensors")))
        try data.write(Array(weights.prefix(weights.count - 9)), to: "cut/sae_weights.safetensors")
        try data.write(Array("{\"d_in\": 3".utf8), to: "garbled/cfg.json")
        let file = try SafetensorsOutput(path: data("narrow.safetensors"), [.init(hook, [1, 3])])
        try file.append([1, 2, 3])
        try file.finish()
        for (arguments, said) in [
            (["-p", "dictionary=nowhere"], "nowhere is not a dictionary"),
            (["-p", "dictionary=cut"], "cut/sae_weights.safetensors"),
            (["-p", "dictionary=garbled"], "garbled/cfg.json"),
            (["-p", "dictionary=narrow"], "the dictionary is of 3"),
            (["-p", "dictionary=narrow", "--hooks", "encoder.blocks.1.attn.pattern"], "positions have to come first"),
            (["-p", "dictionary=narrow", "-p", "directions=narrow.safetensors"], "expected one of them"),
            (["-p", "directions=nowhere"], "nowhere"), (["-p", "directions=cut/cfg.json"], "cfg.json"),
            (["-p", "directions=narrow.safetensors"], "its directions are of 3"),
            (
                ["-p", "directions=narrow.safetensors", "--hooks", "encoder.blocks.0"],
                "no directions for encoder.blocks.0"
            ),
            (["-p", "directions=narrow/sae_weights.safetensors"], "no hook point matches"),
        ] {
            let result = try scan("a", arguments)
            #expect(result.status != 0 && result.error.contains(said), "\(arguments): \(result.error)")
        }
        #expect(!FileManager.default.fileExists(atPath: data("a")))
    }

    @Test("what the plugin refuses, and hook points that the model does not have, leave an atlas as it was")
    func refusals() throws {
        #expect(try build(data("a")).result().status == 0)
        let before = try AtlasContents(data("a")).lines
        for more in [["-p", "k=0"], ["-p", "nope=1"], ["-p", "threshold=2"]] {
            let refused = try build(data("a"), more).result()
            #expect(refused.status == 64, "\(refused.error)")
        }
        let hook = try Child(["atlas", "build", "demo:", "--out", data("a"), "--hooks", "encoder.nope"], data: data)
        #expect(hook.result().error.contains("encoder.nope"))
        #expect(try AtlasContents(data("a")).lines == before)
    }

    @Test("an atlas that another process writes to, and hook points that are given twice, are refused")
    func refused() throws {
        let held = try AtlasStore(path: data("held"), mode: .write)
        let second = try build(held.path).result()
        #expect(second.status == 69 && second.error.contains("another process, writes to"), "\(second.error)")
        let both = try build(data("a"), ["--hooks", "encoder.*", "-p", "hooks=encoder.*"]).result()
        #expect(both.status == 64 && both.error.contains("exclude each other"), "\(both.status) \(both.error)")
        #expect(!FileManager.default.fileExists(atPath: data("a")))
    }

    @Test("killed at any moment, the command or the daemon, the same command goes on to the same atlas")
    func kills() throws {
        let began = ContinuousClock.now
        #expect(try build(data("undisturbed")).result().status == 0)
        let whole = began.duration(to: .now) / .seconds(1)
        let expected = try AtlasContents(data("undisturbed")).lines
        var random = SeededGenerator(seed: 11)
        for round in 0..<4 {
            let out = data("killed-\(round)")
            for _ in 0..<2 {
                let command = try build(out)
                Thread.sleep(forTimeInterval: Double.random(in: 0.05...1.1, using: &random) * whole)
                if round % 2 == 1, let daemon = daemonProcess() { kill(daemon, SIGKILL) }
                if round % 2 == 0 { kill(command.process.processIdentifier, SIGKILL) }
                _ = command.result()
                // Whatever is there is an atlas with all of the scan, or none of it.
                if FileManager.default.fileExists(atPath: out) {
                    let lines = try? AtlasContents(out).lines
                    #expect(lines == nil || lines == [] || lines == expected)
                }
            }
            let last = try build(out).result()
            #expect(last.status == 0, "\(last.error)")
            #expect(try AtlasContents(out).lines == expected)
        }
    }

    /// The process that holds the socket's lock.
    private func daemonProcess() -> Int32? {
        let text = try? String(contentsOfFile: Child.socket(data) + ".lock", encoding: .utf8)
        return text.flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }.flatMap { $0 > 1 ? $0 : nil }
    }
}
