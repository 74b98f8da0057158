import Atlas
import Client
import Messages
import Results

/// A run of a plugin whose tables go into an atlas as they come.
struct AtlasBuild {
    let store: AtlasStore
    let scan: AtlasScanDescription
    let recordings: AtlasRecordings
    let verbosity: Verbosity

    /// - Throws: ``Atlas/AtlasError`` for tables that are not an atlas's, or where the atlas cannot be written.
    func run(_ request: V1.RunPluginRequest, _ daemon: DaemonConnection) async throws -> AtlasScanDetail {
        let writer = try AtlasWriter(store, scan) { [recordings] number, name in try recordings.place(number, name) }
        do {
            var outputs: [String: V1.PluginOutput] = [:]
            var assembly = ResultAssembly()
            var collector = RunCollector(verbosity.logger, verbosity.progress, label: "scanning")
            defer { collector.finish() }
            try await daemon.events(V1.PluginRPC.run, request) { event in
                switch event.event {
                case .result?, .chunk?:
                    if let piece = event.event, let result = try assembly.take(piece) {
                        try take(result, outputs[result.outputId], writer)
                    }
                case .description(let description)?:
                    outputs = Dictionary(description.outputs.map { ($0.id, $0) }) { first, _ in first }
                case .skipped(let skipped)?:
                    try writer.problem(recording: skipped.file, reason: skipped.reason)
                    try collector.take(event)
                default: try collector.take(event)
                }
            }
            collector.finish()
            return try writer.finish()
        } catch {
            // What is half there is of no use to anyone; where it cannot be removed now, the next scan does.
            try? writer.abandon()
            throw error
        }
    }

    /// Only tables about all recordings are an atlas's.
    private func take(_ result: V1.PluginResult, _ output: V1.PluginOutput?, _ writer: AtlasWriter) throws {
        guard result.file.isEmpty, AtlasWriter.reads(result.outputId), case .table? = result.value,
            case .table(let table) = try TypedResult(result, declared: output).value
        else { return }
        try writer.take(
            AtlasTable(
                name: result.outputId, columns: table.columns,
                rows: table.rows.map { row in
                    row.cells.map { cell in
                        switch cell.value {
                        case .number(let number)?: .number(number)
                        case .text(let text)?: .text(text)
                        case nil: .missing
                        }
                    }
                }))
    }
}
