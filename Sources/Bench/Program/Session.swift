import Foundation
import Kernels
import Whisper

/// One run of the program: its options, its folder, what it reports.
public final class Session {
    public let options: BenchOptions
    public let report: Report
    /// Everything that the run writes on the way; removed at its end.
    public let folder: String
    private var models: [String: BenchModel] = [:]
    private var saidPeers = false
    /// Where several layers run, `--only` named them, and not the contenders.
    var ignoresOnly = false

    /// - Throws: ``BenchError`` where no folder can be made.
    public init(_ options: BenchOptions, arguments: [String] = CommandLine.arguments) throws {
        self.options = options
        report = Report(
            asMarkdown: options.markdown, heading: Self.heading(arguments),
            prints: { FileHandle.standardOutput.write(Data(($0 + "\n").utf8)) })
        // Sockets lie here, whose paths may not be long.
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("auscult-bench-\(getpid())").path
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw BenchError("cannot make \(folder): \(error.localizedDescription)")
        }
    }

    /// Runs `body`, writes what it found also where it throws, and clears up.
    public static func run(_ options: BenchOptions, _ body: (Session) async throws -> Void) async throws {
        let session = try Session(options)
        defer {
            session.clearScratch()
            try? FileManager.default.removeItem(atPath: session.folder)
        }
        session.report.say(session.banner + "\n")
        var failure: (any Error)?
        do { try await body(session) } catch { failure = error }
        if let json = options.json { try session.report.write(to: json) }
        if let failure { throw failure }
    }

    // MARK: - The machine

    private static func heading(_ arguments: [String]) -> [(String, String)] {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return [
            ("date", ISO8601DateFormatter().string(from: Date())), ("arguments", arguments.joined(separator: " ")),
            ("processor", processor), ("cores", "\(cores)"), ("instructions", MachinePeak.instructions),
            ("kernels", KernelImplementation.current.rawValue), ("load", String(format: "%.1f", MachineLimits.load())),
        ]
    }

    private static var processor: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
    }

    private var banner: String {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return "\(Self.processor), \(cores) cores, \(MachinePeak.instructions); load "
            + String(format: "%.1f", MachineLimits.load()) + "; \(options.roundCount) rounds"
    }

    /// Whether a contender, or a part of a layer, is to be measured.
    func wants(_ name: String) -> Bool { ignoresOnly || options.wants(name) }

    /// The machine's limits, to be measured in the rounds of one table.
    func peak(threads: Int) -> MachinePeak { MachinePeak(threads: threads) }

    /// Rounds whose every one also measures the machine.
    func rounds(_ peak: MachinePeak, threads: Int) -> Rounds {
        // Threads of some libraries look for more work for a fifth of a second.
        Rounds(rounds: options.roundCount, pause: threads > 1 ? 0.25 : 0.02) { peak.sample() }
    }

    // MARK: - Models

    /// Those that are named, those that were downloaded, or a random one.
    func benchModels() throws -> [BenchModel] {
        let paths = options.model.isEmpty ? BenchModel.downloaded() : options.model
        guard paths.isEmpty else { return try paths.map { try BenchModel(path: $0) } }
        return [try random("tiny", ModelSize.tiny.dimensions)]
    }

    func random(_ name: String, _ dimensions: ModelDimensions) throws -> BenchModel {
        if let known = models[name] { return known }
        let model = try BenchModel(random: name, dimensions, below: scratch)
        models[name] = model
        return model
    }

    /// Takes the files of a random model away, which may be large.
    func discard(_ model: BenchModel) {
        guard model.isRandom else { return }
        models = models.filter { $0.value.path != model.path }
        try? FileManager.default.removeItem(atPath: model.path)
    }

    /// Where large files go: on the disk of the build, since temporary folders may be memory.
    private var scratch: String {
        let build = FileManager.default.currentDirectoryPath + "/.build"
        return FileManager.default.fileExists(atPath: build) ? "\(build)/bench-\(getpid())" : folder
    }

    /// A place there.
    func scratchFile(_ name: String) -> String {
        try? FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        return "\(scratch)/\(name)"
    }

    func clearScratch() { if scratch != folder { try? FileManager.default.removeItem(atPath: scratch) } }

    // MARK: - Contenders

    /// This program's own file.
    static var program: String { Bundle.main.executablePath ?? CommandLine.arguments[0] }

    /// A line once where peers are left out.
    func sayPeers() {
        guard options.peers == nil, !saidPeers else { return }
        saidPeers = true
        report.say("peers are left out: no --peers PYTHON (`make bench` makes one from Tests/speed/requirements.txt)\n")
    }
}
