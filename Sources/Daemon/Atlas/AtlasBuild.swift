import Atlas
import Kernels
import Synchronization

/// One scan on its way into an atlas: takes what a plugin's run tells, as it comes, from the threads of the run.
final class AtlasBuild: Sendable {
    private struct State {
        var writer: AtlasWriter?
        var description: PluginDescription?
        /// A table of which more is to come.
        var coming: AtlasTable?
        /// Recordings that could not be read, and how many there are.
        var unread: [SkippedRecording] = []
        var unreadCount = 0
    }

    private struct Recording {
        var name: String
        var place: AtlasRecordingPlace?
    }

    let store: AtlasStore
    private let request: RunRequest
    private let dimensions: [String: Int]
    private let state: Mutex<State>
    private let recordings = Recordings()

    /// Where the run's recordings lie, for the writer.
    private final class Recordings: Sendable {
        private let known = Mutex<[Int: Recording]>([:])

        func add(_ info: RecordingInfo) {
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
            known.withLock { $0[info.number] = Recording(name: info.name, place: place) }
        }

        var isEmpty: Bool { known.withLock(\.isEmpty) }

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
    init(_ store: AtlasStore, _ request: RunRequest, dimensions: [String: Int]) {
        self.store = store
        self.request = request
        self.dimensions = dimensions
        state = Mutex(State())
    }

    /// - Throws: ``Atlas/AtlasError`` for tables that are not an atlas's, or where the atlas cannot be written.
    func take(_ event: RunEvent) throws {
        try state.withLock { state in
            switch event {
            case .description(let description): state.description = description
            case .provenance(let provenance):
                let scan = try scan(provenance, state.description)
                state.writer = try AtlasWriter(store, scan) { [recordings] in recordings.place($0, $1) }
            case .recording(let info): recordings.add(info)
            case .skipped(let skipped):
                state.unreadCount += 1
                if state.unread.count < Self.mostNamed { state.unread.append(skipped) }
                try state.writer?.problem(recording: skipped.file, reason: skipped.reason)
            case .result(let result):
                guard let table = AtlasTable(result) else { break }
                if result.continues { state.coming = table } else { try take(table, state) }
            case .more(.rows(let rows), let isLast):
                state.coming?.append(rows)
                guard isLast, let table = state.coming else { break }
                state.coming = nil
                try take(table, state)
            default: break
            }
        }
    }

    private func take(_ table: AtlasTable, _ state: State) throws {
        guard let writer = state.writer else {
            throw ServiceError(.dataLoss, "the plugin gave the table '\(table.name)' before its run began")
        }
        try writer.take(table)
    }

    /// Recordings that the message names where none could be read.
    private static let mostNamed = 5

    /// The scan is whole: it is seen from here on, and no longer what it replaces.
    /// - Throws: ``Atlas/AtlasError`` (`dataLoss`) where no recording could be read, or tables are missing.
    func finish() throws -> AtlasScanDetail {
        try state.withLock { state in
            guard state.unread.isEmpty || !recordings.isEmpty else { throw Self.nothingRead(state) }
            guard let writer = state.writer else {
                throw ServiceError(.dataLoss, "the run ended before it said what it was; nothing was scanned")
            }
            return try writer.finish()
        }
    }

    private static func nothingRead(_ state: State) -> AtlasError {
        let reasons = state.unread.map { $0.reason.contains($0.file) ? $0.reason : "\($0.file): \($0.reason)" }
        let more = state.unreadCount - reasons.count
        return AtlasError(
            .dataLoss,
            (state.unreadCount == 1
                ? "the recording could not be read" : "none of \(state.unreadCount) recordings could be read")
                + ", so there is nothing to scan: " + reasons.joined(separator: "; ")
                + (more > 0 ? "; and \(more) more" : ""))
    }

    /// Takes back what there is of the scan. Of an atlas that it made, nothing stays.
    func abandon() throws {
        try state.withLock { state in try state.writer?.abandon() }
        try store.discardIfEmpty()
    }

    private func scan(
        _ provenance: Provenance, _ description: PluginDescription?
    ) throws -> AtlasScanDescription {
        // What tells one scan from another, beside plugin, model and recordings.
        var arguments = Dictionary(request.arguments.map { ($0.id, $0.value) }) { $1 }
        if provenance.context == .auto { arguments["context"] = "auto" }
        if provenance.padding == .mel { arguments["padding"] = "mel" }
        if provenance.precision != .exact { arguments["precision"] = provenance.precision.rawValue }
        if !provenance.interventions.isEmpty {
            arguments["interventions"] = provenance.interventions.joined(separator: "\n")
        }
        // What is read from a file or a folder makes other features, and so does a changed model.
        let paths = description?.pathParameters ?? []
        return AtlasScanDescription(
            model: provenance.model, modelSHA256: provenance.modelSHA256, dimensions: dimensions,
            dataSet: (request.audio.map(\.nameInAtlas) + request.dataSets).joined(separator: " "),
            recordings: provenance.recordings?.count ?? 0, plugin: provenance.plugin?.id ?? "",
            version: provenance.plugin?.version ?? "", arguments: arguments,
            makers: paths.union(["interventions"]), seed: provenance.plugin?.seed ?? 0,
            provenance: AtlasProvenance(provenance))
    }
}

extension RecordingReference {
    /// What stands for it in an atlas.
    fileprivate var nameInAtlas: String {
        switch place {
        case .path(let path): path
        case .clip(let clip): DemoClips.prefix + clip
        case .samples, .unknown, .upload: name ?? ""
        }
    }
}

extension AtlasTable {
    /// Nil for a result that is no atlas's: only tables about all recordings are.
    fileprivate init?(_ result: PluginResult) {
        guard result.recording.isEmpty, AtlasWriter.reads(result.output),
            case .table(let columns, let rows) = result.value
        else { return nil }
        self.init(name: result.output, columns: columns, rows: [])
        append(rows)
    }

    fileprivate mutating func append(_ rows: [[PluginResult.Cell]]) {
        self.rows += rows.map { row in
            row.map { cell in
                switch cell {
                case .number(let number): .number(number)
                case .text(let text): .text(text)
                case .missing: .missing
                }
            }
        }
    }
}
