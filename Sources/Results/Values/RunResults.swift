import Messages

/// Everything that one run of a plugin gave: what renderers draw, and all that they know of the plugin.
package struct RunResults: Sendable {
    /// What the plugin declares; results are read by it.
    package var description: V1.PluginDescription
    /// In the order in which they came.
    package var results: StoredResults
    /// Recordings that were left out.
    package var skipped: [V1.SkippedRecording]
    /// How the results were made; nil where nobody has said it.
    package var provenance: V1.Provenance?
    /// What there is to know about recordings that were heard, and about data sets.
    package var notices: [V1.RecordingNotice] = []
    /// How it ended; nil where it did not get so far.
    package var end: V1.PluginEnd?

    package init(
        description: V1.PluginDescription = .init(), results: [V1.PluginResult] = [],
        skipped: [V1.SkippedRecording] = [], provenance: V1.Provenance? = nil, end: V1.PluginEnd? = nil
    ) {
        self.description = description
        self.results = StoredResults(results)
        self.skipped = skipped
        self.provenance = provenance
        self.end = end
    }

    /// The plugin's name, or its id where it has none.
    package var title: String {
        let listing = description.listing ?? .init()
        return listing.name.isEmpty ? listing.id : listing.name
    }

    /// A result for each that came, decoded when it is asked for; or why one cannot be.
    package func typed() -> LazyMapCollection<Range<Int>, Result<TypedResult, ResultError>> {
        let outputs = self.outputs
        return (0..<results.count).lazy.map { [results] in Self.typed(results, $0, outputs) }
    }

    /// Those of one output.
    package func typed(of output: String) -> [Result<TypedResult, ResultError>] {
        let outputs = self.outputs
        return results.indices(of: output).map { Self.typed(results, $0, outputs) }
    }

    private static func typed(
        _ results: StoredResults, _ index: Int, _ outputs: [String: V1.PluginOutput]
    ) -> Result<TypedResult, ResultError> {
        Result { () throws(ResultError) in
            let result: V1.PluginResult
            do { result = try results[index] } catch {
                throw ResultError(output: "", message: "number \(index + 1) cannot be read again: \(error)")
            }
            return try TypedResult(result, declared: outputs[result.outputId])
        }
    }

    /// What the plugin declares, by id.
    package var outputs: [String: V1.PluginOutput] {
        Dictionary(description.outputs.map { ($0.id, $0) }) { first, _ in first }
    }
}

/// Why a result cannot be drawn: it is not what its plugin declares. The sentence names the output.
package struct ResultError: Error, CustomStringConvertible {
    package let output: String
    package let message: String

    package var description: String { "the result '\(output)' \(message)" }
}
