import Messages

/// The scalars about single recordings as a table: a row for each recording, a column for each output.
struct ScalarTable {
    let table: V1.PluginTable

    init(_ scalars: [TypedResult]) {
        var outputs: [String] = []
        var titles: [String: String] = [:]
        var rows: [(file: String, values: [String: Double])] = []
        var places: [String: Int] = [:]
        for result in scalars {
            guard case .scalar(let value) = result.value else { continue }
            let id = result.output.id
            if titles[id] == nil {
                outputs.append(id)
                titles[id] = result.title + (result.output.unit.isEmpty ? "" : " (\(result.output.unit))")
            }
            // A second value of the same output for the same recording gets a row of its own.
            if let place = places[result.file], rows[place].values[id] == nil {
                rows[place].values[id] = value
            } else {
                places[result.file] = rows.count
                rows.append((result.file, [id: value]))
            }
        }
        table = V1.PluginTable(
            columns: ["recording"] + outputs.map { titles[$0] ?? $0 },
            rows: rows.map { row in
                V1.PluginRow(
                    cells: [V1.PluginCell(value: .text(row.file))]
                        + outputs.map { V1.PluginCell(value: row.values[$0].map { .number($0) }) })
            })
    }
}
