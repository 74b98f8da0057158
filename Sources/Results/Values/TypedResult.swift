import Foundation
import Messages

/// A result with its declaration, checked and decoded.
package struct TypedResult: Sendable {
    package enum Value: Sendable {
        case scalar(Double)
        /// Rank 1.
        case vector(NumericArray)
        /// Rank 2.
        case matrix(NumericArray)
        case table(V1.PluginTable)
        case events([V1.PluginTimedEvent])
        case audio(AudioClip)
        case text(String)
    }

    package let output: V1.PluginOutput
    /// The recording that it is about; empty where it is about all of them.
    package let file: String
    package let value: Value

    /// - Throws: ``ResultError`` for a result that nobody declared, of another kind than declared, or whose sizes do not
    ///   agree with its bytes.
    package init(_ result: V1.PluginResult, declared: V1.PluginOutput?) throws(ResultError) {
        let id = result.outputId
        guard let declared else { throw ResultError(output: id, message: "is not among the plugin's outputs") }
        self.output = declared
        self.file = result.file
        switch (declared.kind, result.value) {
        case (.scalar, .scalar(let number)?): self.value = .scalar(number)
        case (.vector, .array(let array)?): self.value = .vector(try NumericArray(array, declared, rank: 1))
        case (.matrix, .array(let array)?): self.value = .matrix(try NumericArray(array, declared, rank: 2))
        case (.table, .table(let table)?): self.value = .table(try Self.checked(table, id))
        case (.timedEvents, .events(let list)?): self.value = .events(list.events)
        case (.audioClip, .audio(let clip)?): self.value = .audio(try AudioClip(clip, id))
        case (.text, .text(let text)?): self.value = .text(text)
        default:
            throw ResultError(
                output: id, message: "is declared as \(declared.kind.name), and \(Self.kind(result.value)) came")
        }
    }

    private static func checked(_ table: V1.PluginTable, _ id: String) throws(ResultError) -> V1.PluginTable {
        for (index, row) in table.rows.enumerated() where row.cells.count != table.columns.count {
            throw ResultError(
                output: id,
                message: "has \(table.columns.count) columns, and \(row.cells.count) cells in row \(index + 1)")
        }
        return table
    }

    private static func kind(_ value: V1.PluginResult.Value?) -> String {
        switch value {
        case .scalar?: "a scalar"
        case .array?: "an array"
        case .table?: "a table"
        case .events?: "timed events"
        case .audio?: "an audio clip"
        case .text?: "text"
        case nil: "nothing"
        }
    }

    /// The declared title, or the id.
    package var title: String { output.title.isEmpty ? output.id : output.title }
    /// The recording as a picture calls it: without the folders that it lies in, which are nobody's business where the picture goes.
    package var recordingName: String { (file as NSString).lastPathComponent }
    /// The title with the recording and the unit, as a heading.
    var heading: String {
        title + (output.unit.isEmpty ? "" : " (\(output.unit))") + (file.isEmpty ? "" : " · \(file)")
    }

    /// How it is to be drawn: as it is declared, or as its kind usually is.
    package var plot: V1.PlotHint {
        switch (output.plot, value) {
        case (.plotHintUnspecified, .matrix): .heatMap
        case (.plotHintUnspecified, .vector(let array)): array.axes[0].labels.isEmpty ? .line : .bar
        case (.plotHintUnspecified, .audio): .player
        default: output.plot
        }
    }
}

/// Mono sound.
package struct AudioClip: Sendable {
    package let rate: Int
    package let samples: [Float]

    package init(rate: Int, samples: [Float]) {
        self.rate = rate
        self.samples = samples
    }

    package init(_ clip: V1.PluginAudioClip, _ id: String) throws(ResultError) {
        guard clip.samples.count % 4 == 0 else {
            throw ResultError(
                output: id, message: "has \(clip.samples.count) bytes of float32 samples, not a multiple of 4")
        }
        guard (1000...768_000).contains(clip.sampleRate) else {
            throw ResultError(
                output: id, message: "has a sample rate of \(clip.sampleRate) Hz; 1000 to 768000 are known")
        }
        self.rate = Int(clip.sampleRate)
        self.samples = NumericArray.floats(clip.samples)
        if let index = samples.firstIndex(where: { !$0.isFinite }) {
            throw ResultError(output: id, message: "has sound whose sample \(index) is \(samples[index])")
        }
    }

    package var seconds: Double { Double(samples.count) / Double(rate) }
}

extension V1.PlotHint {
    /// As in JSON.
    package var shortName: String {
        switch self {
        case .plotHintUnspecified: "default"
        case .noPlot: "none"
        default: name
        }
    }
}
