import Client
import Digests
import Foundation
import Messages
import Results

/// What a plugin's results were made of and what they are, as digests: enough to make them again and to see whether they are the same
/// to the bit.
package struct RunReceipt: Sendable, Equatable {
    /// What was asked for, with absolute paths, and without what only its caller had: checkpoints, folders of results.
    package var request: V1.RunPluginRequest
    /// How the results were made, as `results.json` has it.
    package var provenance: V1.Provenance
    /// The form of the kernels that computed: "avx512". Another one rounds otherwise.
    package var kernels: String
    /// Of all files of the plugin's bundle.
    package var plugin: String
    /// The recordings that were heard, in their order.
    package var recordings: [NamedDigest]
    /// Files and folders that arguments and interventions name.
    package var files: [NamedDigest]
    /// The results in the order in which they came: "output" or "output of recording".
    package var results: [NamedDigest]

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
        plugin = try NamedDigest.sha256(at: run.run.description.listing?.path ?? "")
        recordings = run.recordings.map { NamedDigest(name: $0.name, sha256: $0.sha256) }
        let written = Set(run.run.description.writtenArguments)
        files = try NamedDigest.files(
            namedIn: self.request.arguments.filter { !written.contains($0.id) }.map(\.value)
                + self.request.interventions.flatMap(\.words))
        var results: [NamedDigest] = []
        try run.run.results.forEach { result in
            results.append(
                NamedDigest(
                    name: result.outputId + (result.file.isEmpty ? "" : " of \(result.file)"),
                    sha256: try SHA256.hex(of: result.serialized())))
        }
        self.results = results
    }

    init(
        request: V1.RunPluginRequest, provenance: V1.Provenance, kernels: String, plugin: String,
        recordings: [NamedDigest],
        files: [NamedDigest], results: [NamedDigest]
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
        kept.audio = kept.audio.map(\.fromAnywhere)
        kept.model = kept.model?.fromAnywhere
        return kept
    }
}

extension V1.PluginDescription {
    /// The arguments by which it is told where to write.
    package var writtenArguments: [String] { (permissions?.writeFolders ?? []) + (permissions?.writeFiles ?? []) }
}

// MARK: - Comparing

extension RunReceipt {
    /// What differs in a second run, in words; none where all is the same to the bit.
    package func differences(from other: RunReceipt) -> [String] {
        var found: [String] = []
        func compare(_ what: String, _ then: String, _ now: String) {
            if then != now { found.append(NamedDigest.difference(what, then, now)) }
        }
        compare("auscult", provenance.version, other.provenance.version)
        compare("kernels", kernels, other.kernels)
        compare("the model's weights", provenance.modelSha256, other.provenance.modelSha256)
        compare("the plugin's files", plugin, other.plugin)
        compare(
            "the list of recordings", provenance.recordings?.sha256 ?? "", other.provenance.recordings?.sha256 ?? "")
        found += NamedDigest.differences("the recording", recordings, other.recordings)
        found += NamedDigest.differences("the file", files, other.files)
        found += NamedDigest.differences("the result", results, other.results)
        return found
    }
}
