import Atlas
import Kernels
import Messages
import Synchronization

/// One scan on its way into an atlas: takes what a plugin's run tells, as it comes, from the threads of the run.
final class AtlasBuild: Sendable {
    private struct State {
        var writer: AtlasWriter?
        var description: V1.PluginDescription?
        /// Large tables come in pieces.
        var assembly = ResultAssembly()
    }

    private struct Recording {
        var name: String
        var place: AtlasRecordingPlace?
    }

    let store: AtlasStore
    private let request: V1.RunPluginRequest
    private let dimensions: [String: Int]
    private let state: Mutex<State>
    private let recordings = Recordings()

    /// Where the run's recordings lie, for the writer.
    private final class Recordings: Sendable {
        private let known = Mutex<[Int: Recording]>([:])

        func add(_ info: V1.RecordingInfo) {
            let path: String? =
                switch info.source {
                case .path(let path)?: path
                case .clip(let clip)?: DemoClips.prefix + clip
                case nil: nil
                }
            let place = path.map {
                AtlasRecordingPlace(
                    path: $0, start: info.span?.start, end: info.span?.end,
                    sha256: info.sha256.nonEmpty)
            }
            known.withLock { $0[Int(clamping: info.number)] = Recording(name: info.name, place: place) }
        }

        /// Nil for a number or a name that the run did not tell.
        func place(_ number: Int, _ name: String?) -> AtlasRecordingPlace? {
            known.withLock { known in
                guard let recording = known[number], name == nil || recording.name == name else { return nil }
                return recording.place
            }
        }
    }

    /// - Parameters:
    ///   - store: opened for writing.
    ///   - request: what is run.
    ///   - dimensions: the model's, by openai/whisper's names.
    init(_ store: AtlasStore, _ request: V1.RunPluginRequest, dimensions: [String: Int]) {
        self.store = store
        self.request = request
        self.dimensions = dimensions
        state = Mutex(State())
    }

    /// - Throws: ``Atlas/AtlasError`` for tables that are not an atlas's, or where the atlas cannot be written.
    func take(_ event: V1.PluginEvent.Event) throws {
        try state.withLock { state in
            switch event {
            case .description(let description): state.description = description
            case .provenance(let provenance):
                let scan = try scan(provenance, state.description)
                state.writer = try AtlasWriter(store, scan) { [recordings] in recordings.place($0, $1) }
            case .recording(let info): recordings.add(info)
            case .skipped(let skipped):
                try state.writer?.problem(recording: skipped.file, reason: skipped.reason)
            case .result, .chunk:
                if let result = try state.assembly.take(event) { try take(result, state) }
            default: break
            }
        }
    }

    /// Only tables about all recordings are an atlas's.
    private func take(_ result: V1.PluginResult, _ state: State) throws {
        guard result.file.isEmpty, AtlasWriter.reads(result.outputId), case .table(let table)? = result.value else {
            return
        }
        guard let writer = state.writer else {
            throw ServiceError(.dataLoss, "the plugin gave the table '\(result.outputId)' before its run began")
        }
        try writer.take(AtlasTable(result.outputId, table))
    }

    /// The scan is whole: it is seen from here on, and no longer what it replaces.
    func finish() throws -> AtlasScanDetail {
        try state.withLock { state in
            guard let writer = state.writer else {
                throw ServiceError(.dataLoss, "the run ended before it said what it was; nothing was scanned")
            }
            return try writer.finish()
        }
    }

    /// Takes back what there is of the scan. Of an atlas that it made, nothing stays.
    func abandon() throws {
        try state.withLock { state in try state.writer?.abandon() }
        try store.discardIfEmpty()
    }

    private func scan(
        _ provenance: V1.Provenance, _ description: V1.PluginDescription?
    ) throws -> AtlasScanDescription {
        // What tells one scan from another, beside plugin, model and recordings.
        var arguments = Dictionary(request.arguments.map { ($0.id, $0.value) }) { $1 }
        if provenance.context == .auto { arguments["context"] = "auto" }
        if provenance.precision != .exact {
            arguments["precision"] = try Precision(provenance.precision).rawValue
        }
        if !provenance.interventions.isEmpty {
            arguments["interventions"] = provenance.interventions.joined(separator: "\n")
        }
        // What is read from a file or a folder makes other features, and so does a changed model.
        let paths = (description?.parameters ?? []).filter { $0.kind == "path" }.map(\.id)
        return AtlasScanDescription(
            model: provenance.model, modelSHA256: provenance.modelSha256, dimensions: dimensions,
            dataSet: (request.audio.map(\.place) + request.dataSets).joined(separator: " "),
            recordings: Int(clamping: provenance.recordings?.count ?? 0), plugin: provenance.plugin?.id ?? "",
            version: provenance.plugin?.version ?? "", arguments: arguments,
            makers: Set(paths + ["interventions"]), seed: provenance.plugin?.seed ?? 0,
            provenance: try AtlasProvenance(provenance))
    }
}

extension V1.AudioSource {
    /// What stands for it in an atlas.
    fileprivate var place: String {
        switch source {
        case .path(let path)?: path
        case .clip(let clip)?: DemoClips.prefix + clip
        default: name
        }
    }
}
