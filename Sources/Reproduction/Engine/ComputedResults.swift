import Messages
import Results

/// Results that a section computes itself, in the form in which a plugin gives them: so the same files are written of
/// them, and the page draws them alike.
package struct ComputedResults: Sendable {
    private var outputs: [V1.PluginOutput] = []
    private var results: [V1.PluginResult] = []

    package init() {}

    package typealias Cell = V1.PluginCell.Value

    package mutating func table(
        _ id: String, _ title: String, _ description: String = "", columns: [String], rows: [[Cell?]]
    ) {
        add(
            V1.PluginOutput(id: id, title: title, kind: .table, plot: .noPlot, description: description),
            .table(
                V1.PluginTable(
                    columns: columns,
                    rows: rows.map { row in V1.PluginRow(cells: row.map { V1.PluginCell(value: $0) }) })))
    }

    /// Groups of bars: a group for each of `groups`, in it a bar for each of `series`.
    /// - Parameter values: a row for each group.
    package mutating func bars(
        _ id: String, _ title: String, _ description: String = "", unit: String = "", groups: (String, [String]),
        series: (String, [String]), values: [[Double]]
    ) {
        matrix(id, title, description, unit: unit, .bar, down: groups, across: series, values)
    }

    package mutating func heatMap(
        _ id: String, _ title: String, _ description: String = "", unit: String = "", down: (String, [String]),
        across: (String, [String]), values: [[Double]]
    ) {
        matrix(id, title, description, unit: unit, .heatMap, down: down, across: across, values)
    }

    private mutating func matrix(
        _ id: String, _ title: String, _ description: String, unit: String, _ plot: V1.PlotHint,
        down: (name: String, labels: [String]), across: (name: String, labels: [String]), _ values: [[Double]]
    ) {
        let axes = [down, across].map { V1.ResultAxis(name: $0.name, labels: $0.labels) }
        let flat = values.flatMap { row in
            // A row that is short has no values where it ends.
            (0..<across.labels.count).map { $0 < row.count ? row[$0] : .nan }
        }
        let tensor = V1.Tensor(
            dtype: .f64, shape: [UInt64(values.count), UInt64(across.labels.count)],
            data: flat.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) })
        add(
            V1.PluginOutput(
                id: id, title: title, unit: unit, kind: .matrix, axes: axes, plot: plot, description: description),
            .array(V1.PluginArray(tensor: tensor, axes: axes)))
    }

    private mutating func add(_ output: V1.PluginOutput, _ value: V1.PluginResult.Value) {
        outputs.append(output)
        results.append(V1.PluginResult(outputId: output.id, value: value))
    }

    package var isEmpty: Bool { results.isEmpty }

    /// As of a plugin of this name.
    package func run(id: String, name: String, description: String) -> RunResults {
        RunResults(
            description: V1.PluginDescription(
                listing: V1.PluginListing(id: id, name: name), description: description, outputs: outputs),
            results: results)
    }
}
