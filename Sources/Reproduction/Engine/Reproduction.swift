import Client
import Digests
import Files
import Foundation
import Logging
import Messages
import Receipts
import Results
import Synchronization
import Wire

/// Runs sections over samples, keeps what they gave in a folder, and writes the page.
///
/// A section that fails does not lose the others. What lies in the folder under the same key (of the samples' and the
/// model's digests, the plugin's version and its arguments) is not run again.
package struct Reproduction {
    package let daemon: DaemonConnection
    package let model: V1.ModelRef
    package let info: V1.ModelInfo
    package let samples: SampleList
    package let options: ReproductionOptions
    package let out: String
    package let logger: Logger
    package let line: ProgressLine
    package let transcriber: TranscriptCache
    /// Whether what is kept by an earlier call is not looked at.
    package let isFresh: Bool
    /// The keys of what this call has run.
    private let done = Seen()
    /// What was said of recordings, which every run over them would say again.
    private let told = Seen()

    package init(
        daemon: DaemonConnection, model: V1.ModelRef, info: V1.ModelInfo, samples: SampleList,
        options: ReproductionOptions, out: String, logger: Logger, line: ProgressLine,
        transcriber: TranscriptCache, isFresh: Bool
    ) {
        self.daemon = daemon
        self.model = model
        self.info = info
        self.samples = samples
        self.options = options
        self.out = out
        self.logger = logger
        self.line = line
        self.transcriber = transcriber
        self.isFresh = isFresh
    }

    /// - Throws: an interruption; what goes wrong with a section is in its report.
    package func report(_ section: Section) async throws -> SectionReport {
        var report = SectionReport(section: section)
        let start = ContinuousClock.now
        do {
            try await run(&report)
        } catch let error as Unsuitable {
            report.verdict = .cannotBeSaid(error.description)
        } catch {
            if error is CancellationError || Task.isCancelled { throw CancellationError() }
            report.failure = error
            report.verdict = .cannotBeSaid("it failed: \(error)")
        }
        report.seconds = start.elapsedSeconds
        return report
    }

    private func run(_ report: inout SectionReport) async throws {
        let section = report.section
        let folder = "\(out)/\(section.id)"
        try DataFolder.create(folder)
        let situation = Situation(
            samples: samples, model: info, options: options,
            plain: { [transcriber] in try await transcriber.plain($0) },
            tokenize: { [daemon, model] in
                try await daemon.call(V1.ModelRPC.tokenize, V1.TokenizeRequest(model: model, text: $0)).tokens
            }, folder: absolutePath(folder))
        var evidence = Evidence(situation: situation)
        for part in section.parts {
            try Task.checkCancellation()
            let label = "\(section.id): \(part.id)"
            switch part {
            case .plugin(let part):
                if let reason = evidence.unsuitable[part.after] {
                    evidence.unsuitable[part.id] = reason
                    continue
                }
                do {
                    let done = try await run(part, label, folder, situation)
                    evidence.results[part.id] = done.run
                    report.parts.append(done)
                } catch let error as Unsuitable {
                    // The study says whether it can do without.
                    evidence.unsuitable[part.id] = error.description
                } catch let error as WireError where part.isOptional && error.code != .cancelled {
                    evidence.unsuitable[part.id] = "it failed: \(error.message)"
                }
            case .transcripts(let part):
                let start = ContinuousClock.now
                let before = await transcriber.written
                let written = try await transcriber.transcriptions(of: situation.spoken, label, part)
                evidence.transcriptions[part.id] = written.changed
                report.parts.append(
                    PartReport(
                        id: part.id, what: "transcripts", seconds: start.elapsedSeconds,
                        isKept: await transcriber.written == before))
                try await writeReceipt(written.entries, "\(folder)/\(part.id)")
            }
        }
        report.findings = try await section.study(evidence)
        if section.writes, let remark = samples.remark(onForeign: situation.foreign, info) {
            report.findings.notes.append(remark + ".")
        }
        let measures = Dictionary(report.findings.measures.map { ($0.id, $0) }) { first, _ in first }
        report.outcomes = section.criteria.map { $0.judge(measures[$0.measure]) }
        report.verdict = Verdict(of: report.outcomes)
        if let advice = advice(report) {
            report.verdict = report.verdict.reason.map { .cannotBeSaid("\($0); \(advice)") } ?? report.verdict
            report.findings.sentence += " \(advice.prefix(1).uppercased() + advice.dropFirst())."
        }
        if !report.findings.results.isEmpty {
            var files = try ResultFolder("\(folder)/\(Exhibit.findings)")
            _ = try files.write(report.own)
        }
        try await fetchSounds(&report, folder)
        try PendingFile.write(Data((report.json.text + "\n").utf8), to: "\(folder)/section.json")
    }

    /// So that `auscult verify` can write the same transcripts once more.
    private func writeReceipt(_ entries: [TranscriptsReceipt.Entry], _ folder: String) async throws {
        guard !entries.isEmpty else { return }
        try DataFolder.create(folder)
        try await TranscriptsReceipt(of: entries, daemon).write(to: "\(folder)/\(ReceiptFile.name)", daemon)
    }

    /// What to do where nothing can be said because there is too little of something.
    private func advice(_ report: SectionReport) -> String? {
        guard let reason = report.verdict.reason else { return nil }
        return report.outcomes.first { $0.verdict.reason == reason }?.shortage?.advice(
            recordings: samples.samples.count, seconds: report.parts.reduce(0) { $0 + $1.seconds })
    }

    // MARK: Plugins

    private func run(
        _ part: PluginPart, _ label: String, _ folder: String, _ situation: Situation
    ) async throws -> PartReport {
        let plugin = try await description(of: part.plugin).listing ?? .init()
        let arguments = try await part.arguments(situation)
        let below = "\(part.shared.isEmpty ? String(folder.dropFirst(out.count + 1)) : part.shared)/\(part.id)"
        let place = "\(out)/\(below)"
        try DataFolder.create(place)
        let shard = part.hears ? situation.shard(part.extent) : nil
        let key = try self.key(plugin, arguments, part, shard)
        var report = PartReport(
            id: part.id, what: "\(plugin.id) \(plugin.version)", arguments: arguments,
            folder: below)
        let kept = "\(place)/kept.results"
        // What a part leaves to another has to be there as well.
        let isWhole = arguments.allSatisfy { $0.key != "out" || FileManager.default.fileExists(atPath: $0.value) }
        if isWhole, !isFresh || done.contains(key), let results = KeptResults(at: kept, key: key) {
            (report.run, report.seconds, report.isKept) = (results.run, results.seconds, true)
            return report
        }
        // A state of other samples or arguments is of no use to this run.
        let checkpoint = absolutePath("\(place)/\(key.prefix(16)).state")
        for name in (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? [] where name.hasSuffix(".state") {
            if isFresh || "\(place)/\(name)" != "\(place)/\(key.prefix(16)).state" { unlink("\(place)/\(name)") }
        }
        let start = ContinuousClock.now
        var request = V1.RunPluginRequest(
            pluginId: plugin.id, model: model, arguments: arguments.map { .init(id: $0.key, value: $0.value) },
            checkpoint: part.hears ? checkpoint : "", seed: options.seed)
        if part.hears {
            (request.audio, request.dataSets) = (samples.single, samples.dataSets)
            (request.shard, request.context) = (shard, part.context)
        }
        var collector = RunCollector(logger, line, label: label) { [told] in told.insert($0) }
        defer { collector.finish() }
        try await daemon.events(V1.PluginRPC.run, request) { try collector.take($0) }
        guard collector.run.end != nil else {
            throw CommandError(.unavailable, "the run of \(plugin.id) did not come to its end")
        }
        (report.run, report.seconds) = (collector.run, start.elapsedSeconds)
        try KeptResults(key: key, run: collector.run, seconds: report.seconds).write(to: kept)
        done.insert(key)
        unlink(checkpoint)
        var files = try ResultFolder(place)
        _ = try files.write(collector.run)
        let kernels = try await ComputingProgram(daemon).kernels
        try RunReceipt(of: request, collector, kernels: kernels).write(to: place)
        return report
    }

    /// - Throws: ``Unsuitable`` where there is no such plugin.
    private func description(of plugin: String) async throws -> V1.PluginDescription {
        do {
            return try await daemon.call(V1.PluginRPC.describe, V1.DescribePluginRequest(id: plugin))
        } catch let error as WireError where error.code == .notFound {
            throw Unsuitable("the plugin '\(plugin)' is not installed here")
        }
    }

    private func key(
        _ plugin: V1.PluginListing, _ arguments: [(key: String, value: String)], _ part: PluginPart, _ shard: V1.Shard?
    ) throws -> String {
        var parts = [
            "part 1", plugin.id, plugin.version, info.sha256, "\(options.seed)", part.hears ? samples.digest : "",
        ]
        if info.precision != .exact { parts.append(info.precision.name) }
        if let shard { parts.append("shard \(shard.index) of \(shard.count)") }
        if part.hears, part.context != .full { parts.append("context \(part.context.name)") }
        for argument in arguments {
            // A file that a plugin reads is what is in it, wherever it lies; one that it writes is nothing yet.
            let isFile = argument.value.hasPrefix("/")
            parts += [
                argument.key,
                argument.key == "out" ? "" : isFile ? try NamedDigest.sha256(at: argument.value) : argument.value,
            ]
        }
        return try SHA256.hex(of: Array(parts.joined(separator: "\u{1F}").utf8))
    }
}

/// What was there before, of keys and of sentences.
private final class Seen: Sendable {
    private let keys = Mutex<Set<String>>([])

    func contains(_ key: String) -> Bool { keys.withLock { $0.contains(key) } }
    /// Whether it is new.
    @discardableResult func insert(_ key: String) -> Bool { keys.withLock { $0.insert(key).inserted } }
}

extension ContinuousClock.Instant {
    /// Seconds from this moment until now.
    var elapsedSeconds: Double { (ContinuousClock.now - self) / .seconds(1) }
}
