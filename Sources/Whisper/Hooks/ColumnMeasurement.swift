import Dictionaries
import Kernels

/// What is measured of a hook point's columns over many passes.
package final class ColumnMeasurement {
    private let measure: InterventionMaterial.Measure
    private let columns: [Int]?
    /// The most values that quantiles, which need all of them, keep.
    private static let most = 1 << 26

    private struct Gathered {
        var sums: [Double]
        var count = 0
        /// By columns, for quantiles.
        var values: [[Float]]
    }
    private var gathered: [HookPoint: Gathered] = [:]
    private var kept = 0

    /// - Parameter columns: those that are wanted, in each head; nil for all.
    package init(_ measure: InterventionMaterial.Measure, columns: [Int]?) {
        (self.measure, self.columns) = (measure, columns)
    }

    /// Takes what one pass captured, without reduction.
    /// - Throws: ``WhisperError`` (`invalidArgument`) for a hook point whose columns are not the same in each pass, and for more values than
    ///   fit.
    package func add(_ captured: CapturedTensor) throws {
        let point = captured.hook
        guard point.site.layout != .headsFirst || point.isEncoder || point.axes.last == "key_frame" else {
            throw WhisperError(
                .invalidArgument, "\(point) has as many columns as there are tokens, so nothing is measured of them")
        }
        if case .latentQuantile(let dictionary, let latent, _) = measure {
            let rows = captured.tensor.shape[0]
            guard rows > 0 else { return }
            do {
                let codes = try dictionary.encode(captured.tensor.reshaped([rows, captured.tensor.count / rows]))
                try take(1, of: 1, rows, at: point) { row, _ in codes[row, latent] }
            } catch let error as DictionaryError {
                throw WhisperError(.invalidArgument, "at \(point): \(error.message)")
            }
            return
        }
        let view = ActivationView(captured.tensor.shape, point.site.layout)
        try captured.tensor.withUnsafeBufferPointer { x in
            try take(view.heads * view.width, of: view.width, view.positions, at: point) { row, column in
                x[view.offset(row, column / view.width) + column % view.width]
            }
        }
    }

    private func take(_ width: Int, of headWidth: Int, _ rows: Int, at point: HookPoint, _ value: (Int, Int) -> Float)
        throws
    {
        var found = gathered[point] ?? Gathered(sums: .init(repeating: 0, count: width), values: [])
        gathered[point] = nil
        guard found.sums.count == width else {
            throw WhisperError(
                .invalidArgument, "\(point) has \(width) columns in one pass and \(found.sums.count) in another")
        }
        found.count += rows
        if case .mean = measure {
            for row in 0..<rows { for column in 0..<width { found.sums[column] += Double(value(row, column)) } }
        } else {
            let wanted = columns.map { Set($0) }
            if found.values.isEmpty { found.values = .init(repeating: [], count: width) }
            for column in 0..<width where wanted?.contains(column % headWidth) ?? true {
                kept += rows
                guard kept <= Self.most else {
                    throw WhisperError(
                        .invalidArgument,
                        "quantiles of all columns of \(point) over so many recordings need more than \(Self.most) values in memory; name "
                            + "some with @neurons, or a smaller data set")
                }
                found.values[column] += (0..<rows).map { value($0, column) }
            }
        }
        gathered[point] = found
    }

    /// One value a column.
    /// - Throws: ``WhisperError`` (`invalidArgument`) for a point of which nothing came.
    package func values(at points: Set<HookPoint>) throws -> [HookPoint: [Float]] {
        try points.reduce(into: [:]) { values, point in
            guard let found = gathered[point], found.count > 0 else {
                throw WhisperError(.invalidArgument, "the data set gives nothing at \(point)")
            }
            switch measure {
            case .mean: values[point] = found.sums.map { Float($0 / Double(found.count)) }
            case .quantile(let quantile), .latentQuantile(_, _, let quantile):
                values[point] = found.values.map { column in
                    column.isEmpty ? 0 : QuantilePlace(quantile, of: column).value(column)
                }
            }
        }
    }
}
