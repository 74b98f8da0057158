import Messages

/// What is to be drawn, without where.
package struct Plot {
    package struct Series {
        var name: String
        var values: [Double]
    }

    package enum Kind {
        /// - Parameters:
        ///   - upward: whether the first row is the lowest one, as in a spectrogram.
        ///   - events: drawn over it, along an axis of time.
        ///   - line: drawn over it, along the same axis, on a scale of its own.
        case heatMap(NumericArray, upward: Bool, events: [V1.PluginTimedEvent], line: NumericArray?)
        /// Values side by side at each position.
        case bars(ArrayAxis, [Series])
        case lines(ArrayAxis, [Series])
        case timeline([V1.PluginTimedEvent])
    }

    package var title: String
    /// What the values are measured in.
    package var unit: String
    package var kind: Kind

    package init(title: String, unit: String, kind: Kind) {
        self.title = title
        self.unit = unit
        self.kind = kind
    }

    /// How a result is drawn by its declaration; nil where there is nothing to draw.
    /// - Parameter others: the results of the same run; what lies over a spectrogram finds it among them.
    package init?(_ result: TypedResult, among others: [TypedResult] = []) {
        title = result.title + (result.file.isEmpty ? "" : " · \(result.recordingName)")
        unit = result.output.unit
        switch (result.plot, result.value) {
        case (.noPlot, _), (_, .scalar), (_, .text): return nil
        case (.spectrogramOverlay, let value): kind = Self.overlay(value, result, others)
        case (.bar, .matrix(let array)): kind = .bars(array.axes[0], Self.series(array))
        case (.line, .matrix(let array)): kind = .lines(array.axes[1], Self.series(array.transposed))
        case (_, .matrix(let array)): kind = .heatMap(array, upward: false, events: [], line: nil)
        case (.bar, .vector(let array)): kind = .bars(array.axes[0], [Series(name: "", values: array.values)])
        case (.heatMap, .vector(let array)):
            kind = .heatMap(Self.oneRow(array), upward: false, events: [], line: nil)
        case (_, .vector(let array)): kind = .lines(array.axes[0], [Series(name: "", values: array.values)])
        case (.bar, .table(let table)), (.line, .table(let table)):
            guard let columns = Self.columns(of: table) else { return nil }
            kind = result.plot == .bar ? .bars(columns.axis, columns.series) : .lines(columns.axis, columns.series)
        case (_, .table): return nil
        case (_, .events(let events)): kind = .timeline(events)
        case (_, .audio(let clip)):
            kind = .heatMap(Spectrogram.of(clip), upward: true, events: [], line: nil)
        }
    }

    /// A spectrogram is the run's own matrix, or else made of its audio clip, of the same recording.
    private static func overlay(_ value: TypedResult.Value, _ result: TypedResult, _ others: [TypedResult]) -> Kind {
        let same = others.filter { $0.file == result.file }
        let ground = same.lazy.compactMap(background).first
        switch value {
        case .matrix(let array):
            let events = same.flatMap { other -> [V1.PluginTimedEvent] in
                if other.plot == .spectrogramOverlay, case .events(let events) = other.value { events } else { [] }
            }
            return .heatMap(timeAcross(array), upward: true, events: events, line: nil)
        case .events(let events):
            guard let ground else { return .timeline(events) }
            return .heatMap(ground, upward: true, events: events, line: nil)
        case .vector(let array):
            guard let ground else { return .lines(array.axes[0], [Series(name: "", values: array.values)]) }
            return .heatMap(ground, upward: true, events: [], line: array)
        case .audio(let clip): return .heatMap(Spectrogram.of(clip), upward: true, events: [], line: nil)
        case .scalar, .text, .table: return .timeline([])
        }
    }

    private static func background(_ result: TypedResult) -> NumericArray? {
        switch result.value {
        case .matrix(let array) where result.plot == .spectrogramOverlay: timeAcross(array)
        case .audio(let clip): Spectrogram.of(clip)
        default: nil
        }
    }

    private static func timeAcross(_ array: NumericArray) -> NumericArray {
        array.axes[0].isTime && !array.axes[1].isTime ? array.transposed : array
    }

    private static func oneRow(_ array: NumericArray) -> NumericArray {
        NumericArray(
            values: array.values, axes: [ArrayAxis(labels: [""], count: 1), array.axes[0]], isDouble: array.isDouble)
    }

    /// A series for each column.
    private static func series(_ array: NumericArray) -> [Series] {
        (0..<array.columns).map { column in
            Series(name: array.axes[1].label(column), values: (0..<array.rows).map { array[$0, column] })
        }
    }

    /// The first column of text names the rows, the first of numbers is drawn; further ones may have other units.
    private static func columns(of table: V1.PluginTable) -> (axis: ArrayAxis, series: [Series])? {
        func number(_ cell: V1.PluginCell) -> Double {
            if case .number(let value)? = cell.value { value } else { .nan }
        }
        let numeric = table.columns.indices.filter { column in
            table.rows.contains { if case .number? = $0.cells[column].value { true } else { false } }
        }
        guard let first = numeric.first else { return nil }
        let text = table.columns.indices.first { column in
            table.rows.contains { if case .text? = $0.cells[column].value { true } else { false } }
        }
        var axis = ArrayAxis(name: text.map { table.columns[$0] } ?? "row", count: table.rows.count)
        if let text {
            axis.labels = table.rows.map { if case .text(let label)? = $0.cells[text].value { label } else { "" } }
        }
        return (axis, [Series(name: table.columns[first], values: table.rows.map { number($0.cells[first]) })])
    }
}
