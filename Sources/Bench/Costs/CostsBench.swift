import Audio
import Foundation
import Whisper

/// What a model costs whoever uses it: the seconds and the memory of a first pass, a transcript, a trace of all hook points, and a
/// scan of its encoder's neurons, each asked of the command line, in a daemon of its own that has done nothing else.
struct CostsBench {
    let session: Session
    private let sound: BenchSound

    init(_ session: Session) throws {
        self.session = session
        sound = try BenchSound(session)
    }

    /// Seconds of the recording that is transcribed and traced, and how many of ten seconds are scanned.
    private static let duration = 11.0
    private static let scanned = 6

    func run() async throws {
        for path in session.options.model { try measure(try BenchModel(path: path)) }
        for size in try sizes {
            let dimensions = size.dimensions
            let free = (try? FileManager.default.attributesOfFileSystem(forPath: session.folder))
                .flatMap { $0[.systemFreeSize] as? NSNumber }?.doubleValue
            // The checkpoint, and a trace of all its hook points.
            let needed = RandomCheckpoint.size(dimensions) + Self.traceBytes(dimensions)
            if let free, free < needed {
                session.report.say("\(size.rawValue): left out, it needs \(Int(needed / 1e9)) GB of disk\n")
                continue
            }
            let model = try session.random(size.rawValue, dimensions)
            defer { session.discard(model) }
            try measure(model)
        }
    }

    /// Those that are named; where models are, no others.
    private var sizes: [ModelSize] {
        get throws {
            if session.options.sizes == nil, !session.options.model.isEmpty { return [] }
            return try session.options.modelSizes
        }
    }

    /// Scores and patterns are nearly all of a trace.
    static func traceBytes(_ dimensions: ModelDimensions) -> Double {
        let heads = Double(dimensions.nAudioLayer * dimensions.nAudioHead)
        let values = 2 * heads * duration * 50 * Double(dimensions.nAudioCtx)
        return 1.2 * 4 * values
    }

    // MARK: - A model

    private func measure(_ model: BenchModel) throws {
        let recording = try wav("recording", seconds: Self.duration)
        let scanned = try (0..<Self.scanned).map { try wav("scanned-\($0)", seconds: 10) }
        let traced = session.scratchFile("trace.safetensors")
        defer { unlink(traced) }
        let pass = ["trace", recording, "--hooks", "encoder.ln_post", "--reduce", "mean", "--out", traced]
        // Random weights would go on to the last token, and to the last temperature.
        let decoding = model.isRandom ? ["--temperature", "0", "--no-timestamps", "--language", "en"] : []
        let steps: [Step] = [
            Step("the first pass of the encoder", pass, isAgain: true),
            Step("a transcript of \(Int(Self.duration)) s", ["transcribe", recording] + decoding),
            Step(
                "a trace of every hook point, sound alone",
                ["trace", recording, "--hooks", "**", "--frames", "valid", "--tokens", prompt(model), "--out", traced],
                file: traced),
            Step(
                "a scan of the encoder's neurons, \(Self.scanned) × 10 s",
                ["run", "features"] + scanned + ["-p", "hooks=encoder.blocks.*.mlp.1", "--format", "json"]),
        ]
        var rows: [Measurement] = []
        for step in steps {
            do { rows += try done(step, model) } catch let failure as StepFailure {
                // What the others took is worth knowing all the same.
                rows.append(Measurement(name: step.name, unit: "s", note: failure.reason, samples: []))
            }
        }
        let weights = ModelCost.weights(model.dimensions)
        session.report.add(
            Table(
                "costs: \(model.name)",
                remarks: [
                    "\(Figure.text(weights / 1e6)) million weights, \(Figure.text(2 * weights / 1e6)) MB in half precision, "
                        + "\(Figure.text(4 * weights / 1e6)) in single. Each step in a daemon of its own; memory is the most of "
                        + "the daemon and its plugins: their own, and with mapped files."
                ], rows: rows))
    }

    /// A step that the program did not do.
    private struct StepFailure: Error {
        let reason: String
    }

    private struct Step {
        let name: String
        let arguments: [String]
        /// Done a second time, to see what the first pays for loading.
        let isAgain: Bool
        /// What it writes.
        let file: String?

        init(_ name: String, _ arguments: [String], isAgain: Bool = false, file: String? = nil) {
            self.name = name
            self.arguments = arguments
            self.isAgain = isAgain
            self.file = file
        }
    }

    private func done(_ step: Step, _ model: BenchModel) throws -> [Measurement] {
        let daemon = try daemon()
        defer { daemon.child.stop() }
        let tree = ProcessTree(of: daemon.child.number)
        defer { tree.stop() }
        func once() throws -> Double {
            try seconds { try auscult(step.arguments + ["--model", model.path], socket: daemon.socket) }
        }
        let first = try once()
        let memory = tree.take()
        let size = step.file.flatMap { try? FileManager.default.attributesOfItem(atPath: $0)[.size] as? NSNumber }
        let note = size.map { "a file of \(Figure.text($0.doubleValue / 1e6)) MB" } ?? ""
        var rows = [
            Measurement(name: step.name, unit: "s", note: note, samples: [first]),
            Measurement(name: "… own memory", unit: "MB", samples: [Double(memory.own) / 1e6]),
            Measurement(name: "… with mapped files", unit: "MB", samples: [Double(memory.resident) / 1e6]),
        ]
        if step.isAgain { rows.append(Measurement(name: "… the second", unit: "s", samples: [try once()])) }
        return rows
    }

    /// Start tokens alone: what a decoder reads first.
    private func prompt(_ model: BenchModel) -> String { model.prompt.map(String.init).joined(separator: ",") }

    private func wav(_ name: String, seconds: Double) throws -> String {
        let path = "\(session.folder)/\(name).wav"
        if !FileManager.default.fileExists(atPath: path) {
            try SoundFileWriter.write(sound.samples(seconds: seconds), as: .wav16, to: path)
        }
        return path
    }

    // MARK: - Programs

    private func daemon() throws -> (child: Child, socket: String) {
        guard let program = ProcessInfo.processInfo.environment["AUSCULT_DAEMON"] else {
            throw BenchError("$AUSCULT_DAEMON is not set; `make bench` sets it")
        }
        let socket = session.folder + "/c/auscult.sock"
        let folders = ["XDG_DATA_HOME": session.folder + "/data", "XDG_CONFIG_HOME": session.folder + "/config"]
        let plugins = ProcessInfo.processInfo.environment["AUSCULT_PLUGINS"].map { ["AUSCULT_PLUGIN_PATH": $0] } ?? [:]
        // What a pass costs is asked again and again of the same sound.
        let child = try Child(
            program, ["--socket", socket, "--kept-activations", "0"], folders.merging(plugins) { $1 })
        for _ in 0..<1000 where !FileManager.default.fileExists(atPath: socket) { usleep(10_000) }
        return (child, socket)
    }

    private func auscult(_ arguments: [String], socket: String) throws {
        let program = ProcessInfo.processInfo.environment["AUSCULT_PROGRAM"] ?? ".build/release/auscult"
        let all = arguments + ["--socket", socket, "--no-start"]
        let process = Process()
        let problems = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = all
        process.standardOutput = FileHandle.nullDevice
        process.standardError = problems
        do { try process.run() } catch { throw BenchError("cannot start \(program): \(error.localizedDescription)") }
        let said = problems.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
            throw StepFailure(reason: lines.last.map(String.init) ?? "ended with \(process.terminationStatus)")
        }
    }
}
