import Messages

/// Results against their declarations: on both sides of the wall, like ``DescriptionCheck``.
enum ResultCheck {
    static let mostColumns = 1024

    /// Axes of a vector and a matrix; nil for kinds that have none.
    static func rank(of kind: V1.ResultKind) -> Int? {
        switch kind {
        case .vector: 1
        case .matrix: 2
        default: nil
        }
    }

    /// - Parameter mayBeNaN: whether a NaN is "no value"; infinities never are.
    /// - Returns: the first problem, or nil.
    static func problem(
        in result: V1.PluginResult, mayBeNaN: Bool, outputs: [V1.PluginOutput]
    ) -> String? {
        guard let output = outputs.first(where: { $0.id == result.outputId }) else {
            return "the result '\(DescriptionCheck.shown(result.outputId))' is not declared"
        }
        func refuse(_ problem: String) -> String { "the result \(output.id) \(problem)" }
        if result.file.utf8.count > DescriptionCheck.longestText { return refuse("has too long a recording's name") }
        let finite: (Double) -> Bool = { $0.isFinite || (mayBeNaN && $0.isNaN) }
        let problem: String?
        switch (output.kind, result.value) {
        case (.scalar, .scalar(let value)?):
            problem = finite(value) ? nil : "is \(value)"
        case (.text, .text?):
            problem = nil
        case (.vector, .array(let array)?), (.matrix, .array(let array)?):
            problem = self.problem(in: array, rank: rank(of: output.kind) ?? 0, finite, output)
        case (.table, .table(let table)?):
            problem = self.problem(in: table, finite)
        case (.timedEvents, .events(let events)?):
            problem = self.problem(in: events, finite)
        case (.audioClip, .audio(let clip)?):
            problem = self.problem(in: clip)
        default:
            problem = "is not of the declared kind, \(words(output.kind))"
        }
        return problem.map(refuse)
    }

    private static func words(_ kind: V1.ResultKind) -> String {
        kind.name.split(separator: "_").joined(separator: " ")
    }

    private static func problem(
        in array: V1.PluginArray, rank: Int, _ finite: (Double) -> Bool, _ output: V1.PluginOutput
    ) -> String? {
        guard let tensor = array.tensor else { return "has no array" }
        guard tensor.dtype == .f32 || tensor.dtype == .f64 else {
            return "has the type \(tensor.dtype.rawValue), F32 or F64 was expected"
        }
        guard tensor.shape.count == rank else { return "has rank \(tensor.shape.count), expected \(rank)" }
        let size: UInt64 = tensor.dtype == .f32 ? 4 : 8
        var expected = size
        for extent in tensor.shape {
            let (product, overflow) = expected.multipliedReportingOverflow(by: extent)
            guard !overflow else { return "has the impossible shape \(tensor.shape)" }
            expected = product
        }
        guard UInt64(tensor.data.count) == expected else {
            return "has \(tensor.data.count) bytes for the shape \(tensor.shape), expected \(expected)"
        }
        let bad = tensor.data.withUnsafeBytes { bytes -> Double? in
            if tensor.dtype == .f64 {
                return (0..<bytes.count / 8).lazy.map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Double.self) }
                    .first { !finite($0) }
            }
            return (0..<bytes.count / 4).lazy
                .map { Double(bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self)) }.first { !finite($0) }
        }
        if let bad { return "has \(bad) among its numbers" }
        let axes = array.axes.isEmpty ? output.axes : array.axes
        guard axes.isEmpty || axes.count == rank else { return "has \(axes.count) axes, expected \(rank)" }
        for (axis, extent) in zip(axes, tensor.shape) {
            if let problem = DescriptionCheck.axisProblem(axis) { return "has an axis that \(problem)" }
            guard axis.labels.isEmpty || UInt64(axis.labels.count) == extent else {
                return "has \(axis.labels.count) labels for the \(extent) positions of its axis \(axis.name)"
            }
        }
        return nil
    }

    private static func problem(in table: V1.PluginTable, _ finite: (Double) -> Bool) -> String? {
        guard (1...mostColumns).contains(table.columns.count) else {
            return "has \(table.columns.count) columns, expected 1 to \(mostColumns)"
        }
        for column in table.columns {
            if let problem = DescriptionCheck.nameProblem(column) { return "has a column whose name \(problem)" }
        }
        for (number, row) in table.rows.enumerated() {
            guard row.cells.count == table.columns.count else {
                return "has \(row.cells.count) cells in row \(number), expected \(table.columns.count)"
            }
            for cell in row.cells {
                switch cell.value {
                case .number(let value)? where !finite(value): return "has \(value) in row \(number)"
                case nil: return "has an empty cell in row \(number)"
                default: break
                }
            }
        }
        return nil
    }

    private static func problem(in events: V1.PluginTimedEvents, _ finite: (Double) -> Bool) -> String? {
        for (number, event) in events.events.enumerated() {
            guard event.start.isFinite, event.end.isFinite, event.start <= event.end else {
                return "has an event \(number) from \(event.start) to \(event.end) s"
            }
            guard finite(event.value) else { return "has the value \(event.value) in event \(number)" }
        }
        return nil
    }

    private static func problem(in clip: V1.PluginAudioClip) -> String? {
        guard (1...768_000).contains(clip.sampleRate) else { return "has a sample rate of \(clip.sampleRate) Hz" }
        guard clip.samples.count % 4 == 0 else { return "has \(clip.samples.count) bytes of float32 samples" }
        let allFinite = clip.samples.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).allSatisfy { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self).isFinite }
        }
        return allFinite ? nil : "has a sample that is not finite"
    }
}
