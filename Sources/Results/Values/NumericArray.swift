import Messages

/// A vector or a matrix of numbers with an axis for each dimension, row-major.
package struct NumericArray: Sendable {
    /// Whether the numbers came as float64; they are float32 otherwise.
    package let isDouble: Bool
    package let values: [Double]
    /// One or two.
    package let axes: [ArrayAxis]

    package init(values: [Double], axes: [ArrayAxis], isDouble: Bool = true) {
        precondition(values.count == axes.reduce(1) { $0 * $1.count }, "\(axes.map(\.count)) is not \(values.count)")
        self.values = values
        self.axes = axes
        self.isDouble = isDouble
    }

    /// - Throws: ``ResultError`` where the shape is not of `rank`, or does not agree with the bytes.
    package init(_ array: V1.PluginArray, _ output: V1.PluginOutput, rank: Int) throws(ResultError) {
        let tensor = array.tensor ?? .init()
        func wrong(_ message: String) -> ResultError { ResultError(output: output.id, message: message) }
        guard tensor.dtype == .f32 || tensor.dtype == .f64 else {
            throw wrong("has elements of type \(tensor.dtype.rawValue); float32 and float64 are known")
        }
        guard tensor.shape.count == rank else {
            throw wrong("has the shape \(tensor.shape), and is declared to have \(rank) axes")
        }
        var count = 1
        for extent in tensor.shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: Int(clamping: extent))
            guard !overflow else { throw wrong("has the shape \(tensor.shape), which is too large") }
            count = product
        }
        let width = tensor.dtype == .f64 ? 8 : 4
        guard tensor.data.count % width == 0, tensor.data.count / width == count else {
            throw wrong("has the shape \(tensor.shape), and \(tensor.data.count) bytes of it came")
        }
        isDouble = tensor.dtype == .f64
        values =
            isDouble ? Self.doubles(tensor.data) : Self.floats(tensor.data).map(Double.init)
        axes = tensor.shape.enumerated().map { index, extent in
            let given = index < array.axes.count ? array.axes[index] : nil
            let declared = index < output.axes.count ? output.axes[index] : nil
            return ArrayAxis(given ?? declared ?? .init(), count: Int(clamping: extent))
        }
    }

    /// 1 for a vector.
    package var rows: Int { axes.count == 2 ? axes[0].count : 1 }
    package var columns: Int { axes.last?.count ?? 0 }
    package subscript(row: Int, column: Int) -> Double { values[row * columns + column] }

    /// The shortest text that reads back as the same number of the array's own type: `0.1` for a float32 of it.
    package func text(_ value: Double) -> String { isDouble ? "\(value)" : "\(Float(value))" }

    /// Rows become columns.
    var transposed: NumericArray {
        guard axes.count == 2 else { return self }
        var turned = [Double](repeating: 0, count: values.count)
        for row in 0..<rows {
            for column in 0..<columns { turned[column * rows + row] = values[row * columns + column] }
        }
        return NumericArray(values: turned, axes: [axes[1], axes[0]], isDouble: isDouble)
    }

    static func floats(_ bytes: [UInt8]) -> [Float] {
        bytes.withUnsafeBytes { raw in
            (0..<raw.count / 4).map {
                Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
            }
        }
    }

    private static func doubles(_ bytes: [UInt8]) -> [Double] {
        bytes.withUnsafeBytes { raw in
            (0..<raw.count / 8).map {
                Double(bitPattern: UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)))
            }
        }
    }
}

extension NumericArray {
    /// The same with at most `most` rows and columns: neighbours are put together as the mean of those that are numbers.
    func shrunk(rows mostRows: Int, columns mostColumns: Int) -> NumericArray {
        let down = Self.factor(rows, mostRows)
        let across = Self.factor(columns, mostColumns)
        guard down > 1 || across > 1 else { return self }
        let height = (rows + down - 1) / down
        let width = (columns + across - 1) / across
        var sums = [Double](repeating: 0, count: width * height)
        var counts = [Int](repeating: 0, count: width * height)
        for row in 0..<rows {
            for column in 0..<columns {
                let value = values[row * columns + column]
                guard !value.isNaN else { continue }
                let place = row / down * width + column / across
                sums[place] += value
                counts[place] += 1
            }
        }
        let means = zip(sums, counts).map { $1 == 0 ? Double.nan : $0 / Double($1) }
        var smaller = [axes[axes.count - 1].every(across)]
        if axes.count == 2 { smaller.insert(axes[0].every(down), at: 0) }
        return NumericArray(values: means, axes: smaller, isDouble: isDouble)
    }

    private static func factor(_ count: Int, _ most: Int) -> Int { max((count + most - 1) / max(most, 1), 1) }
}
