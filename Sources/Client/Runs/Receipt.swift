import Digests
import Foundation
import Messages
import Results

/// What a plugin's results were made of and what they are, as digests: enough to make them again and to see whether they are the same
/// to the bit.
package struct Receipt: Sendable, Equatable {
    /// Something with the SHA-256 of its bytes.
    package struct Digest: Sendable, Equatable {
        package var name: String
        package var sha256: String
    }

    /// What was asked for, with absolute paths, and without what only its caller had: checkpoints, folders of results.
    package var request: V1.RunPluginRequest
    /// How the results were made, as `results.json` has it.
    package var provenance: V1.Provenance
    /// The form of the kernels that computed: "avx512". Another one rounds otherwise.
    package var kernels: String
    /// Of all files of the plugin's bundle.
    package var plugin: String
    /// The recordings that were heard, in their order.
    package var recordings: [Digest]
    /// Files and folders that arguments and interventions name.
    package var files: [Digest]
    /// The results in the order in which they came: "output" or "output of recording".
    package var results: [Digest]

    /// Of a run that has come to its end.
    /// - Parameter kernels: as the daemon's status has it.
    /// - Throws: ``CommandError`` where the run did not say how it was made; what reading files throws.
    package init(of request: V1.RunPluginRequest, _ run: RunCollector, kernels: String) throws {
        guard let provenance = run.run.provenance else {
            throw CommandError(.unavailable, "the daemon did not say how the results were made, so there is no receipt")
        }
        self.provenance = provenance
        self.kernels = kernels
        self.request = Self.repeatable(request, provenance)
        plugin = try Self.digest(at: run.run.description.listing?.path ?? "")
        recordings = run.recordings.map { Digest(name: $0.name, sha256: $0.sha256) }
        let written = Set(run.run.description.writtenArguments)
        files = try Self.paths(in: self.request, except: written).map {
            Digest(name: $0, sha256: try Self.digest(at: $0))
        }
        var results: [Digest] = []
        try run.run.results.forEach { result in
            results.append(
                Digest(
                    name: result.outputId + (result.file.isEmpty ? "" : " of \(result.file)"),
                    sha256: try SHA256.hex(of: result.serialized())))
        }
        self.results = results
    }

    init(
        request: V1.RunPluginRequest, provenance: V1.Provenance, kernels: String, plugin: String, recordings: [Digest],
        files: [Digest], results: [Digest]
    ) {
        (self.request, self.provenance, self.kernels, self.plugin) = (request, provenance, kernels, plugin)
        (self.recordings, self.files, self.results) = (recordings, files, results)
    }

    /// The request as it can be sent again from any folder.
    private static func repeatable(
        _ request: V1.RunPluginRequest, _ provenance: V1.Provenance
    ) -> V1.RunPluginRequest {
        let resolved = Dictionary(
            (provenance.plugin?.arguments ?? []).map { ($0.id, $0.value) }, uniquingKeysWith: { first, _ in first })
        var kept = V1.RunPluginRequest(
            pluginId: request.pluginId.contains("/") ? absolutePath(request.pluginId) : request.pluginId,
            model: request.model, audio: request.audio,
            arguments: request.arguments.map { V1.PluginArgument(id: $0.id, value: resolved[$0.id] ?? $0.value) },
            interventions: provenance.interventions.map { V1.Intervention(text: $0) },
            dataSets: request.dataSets.map { $0 == RecordingArgument.clipPrefix ? $0 : absolutePath($0) },
            shard: request.shard, seed: request.seed, stopAtBroken: request.stopAtBroken, context: request.context,
            padding: request.padding, pluginFolders: request.pluginFolders.map { absolutePath($0) },
            strict: request.strict, permissions: request.permissions)
        for index in kept.audio.indices {
            if case .path(let path)? = kept.audio[index].source { kept.audio[index].source = .path(absolutePath(path)) }
        }
        for path in [\V1.ModelRef.name, \V1.ModelRef.vocabulary] {
            guard let name = kept.model?[keyPath: path], !name.isEmpty else { continue }
            // What is no path is a model's name.
            let absolute = absolutePath(name)
            if FileManager.default.fileExists(atPath: absolute) { kept.model?[keyPath: path] = absolute }
        }
        return kept
    }

    /// Absolute paths of files and folders that the run read beside its recordings, each once.
    private static func paths(in request: V1.RunPluginRequest, except written: Set<String>) -> [String] {
        let arguments = request.arguments.filter { !written.contains($0.id) }.map(\.value)
        let words = request.interventions.flatMap { $0.text.split { " \"=".contains($0) }.map(String.init) }
        var seen: Set<String> = []
        return (arguments + words).filter {
            $0.hasPrefix("/") && FileManager.default.fileExists(atPath: $0) && seen.insert($0).inserted
        }
    }

    /// Of a file, or of all files of a folder in the order of their names; of nothing where there is none.
    package static func digest(at path: String) throws -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return "" }
        guard isFolder.boolValue else { return try SHA256.hex(ofFiles: [path]) }
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted().filter { !$0.hasPrefix(".") }
        let files = names.map { "\(path)/\($0)" }.filter { file in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: file, isDirectory: &isFolder) && !isFolder.boolValue
        }
        return try SHA256.hex(ofFiles: files)
    }
}

extension V1.PluginDescription {
    /// The arguments by which it is told where to write.
    package var writtenArguments: [String] { (permissions?.writeFolders ?? []) + (permissions?.writeFiles ?? []) }
}

extension Receipt {
    /// The form of the kernels that a daemon computes with.
    package static func kernels(of daemon: DaemonConnection) async throws -> String {
        try await daemon.call(V1.DaemonRPC.status, .init()).kernels?.implementation ?? ""
    }
}

// MARK: - Comparing

extension Receipt {
    /// What differs in a second run, in words; none where all is the same to the bit.
    package func differences(from other: Receipt) -> [String] {
        var found: [String] = []
        func compare(_ what: String, _ then: String, _ now: String) {
            if then != now { found.append("\(what): \(Self.short(then)) then, \(Self.short(now)) now") }
        }
        compare("auscult", provenance.version, other.provenance.version)
        compare("kernels", kernels, other.kernels)
        compare("the model's weights", provenance.modelSha256, other.provenance.modelSha256)
        compare("the plugin's files", plugin, other.plugin)
        compare(
            "the list of recordings", provenance.recordings?.sha256 ?? "", other.provenance.recordings?.sha256 ?? "")
        found += Self.differences("the recording", recordings, other.recordings)
        found += Self.differences("the file", files, other.files)
        found += Self.differences("the result", results, other.results)
        return found
    }

    private static func differences(_ what: String, _ then: [Digest], _ now: [Digest]) -> [String] {
        var found = zip(then, now).compactMap { then, now -> String? in
            if then.name != now.name { return "\(what) \(then.name) then is \(now.name) now" }
            return then.sha256 == now.sha256
                ? nil : "\(what) \(then.name): \(short(then.sha256)) then, \(short(now.sha256)) now"
        }
        if then.count != now.count { found.append("\(what)s: \(then.count) then, \(now.count) now") }
        return found
    }

    private static func short(_ text: String) -> String {
        text.isEmpty ? "none" : text.count == 64 ? String(text.prefix(12)) : text
    }
}
