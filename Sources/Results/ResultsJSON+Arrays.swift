import Foundation
import StrictJSON

extension ResultsJSON {
    package func array(_ array: NumericArray) -> [(String, JSON)] {
        switch numbers {
        case .lists:
            return [
                ("axes", .array(array.axes.map(Self.json))), ("shape", .array(array.axes.map { .integer($0.count) })),
                ("values", Self.lists(array)),
            ]
        case .packed(let most):
            let shown = array.fewer(most)
            let range = RobustRange(array.values)
            return [
                ("axes", .array(shown.axes.map(Self.json))), ("shape", .array(shown.axes.map { .integer($0.count) })),
                ("whole_shape", .array(array.axes.map { .integer($0.count) })),
                ("range", .array([.number(range.low), .number(range.high)])),
                ("cut", .array([.bool(range.isCut.below), .bool(range.isCut.above)])),
                ("base64", .string(Self.packed(shown.values))),
            ]
        }
    }

    private static func json(_ axis: ArrayAxis) -> JSON {
        [
            "name": .string(axis.name), "unit": JSON(present: axis.unit),
            "labels": axis.labels.isEmpty ? .null : JSON(axis.labels), "first": .number(axis.first),
            "step": .number(axis.step), "count": .integer(axis.count),
        ]
    }

    private static func lists(_ array: NumericArray) -> JSON {
        // A float32 is written with its own digits: 0.1, not the 0.10000000149 that it is as a float64.
        let numbers = array.values.map { value in
            JSON.number(array.isDouble || !value.isFinite ? value : Double(Float(value).description) ?? value)
        }
        guard array.axes.count == 2 else { return .array(numbers) }
        return .array(
            (0..<array.rows).map { .array(Array(numbers[$0 * array.columns..<($0 + 1) * array.columns])) })
    }

    private static func packed(_ values: [Double]) -> String {
        var bytes = Data(capacity: values.count * 4)
        for value in values {
            withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes.base64EncodedString()
    }
}

extension NumericArray {
    /// With about `most` values at most, as means of neighbours.
    fileprivate func fewer(_ most: Int) -> NumericArray {
        guard values.count > most else { return self }
        guard axes.count == 2 else { return shrunk(rows: 1, columns: most) }
        let factor = (Double(values.count) / Double(max(most, 1))).squareRoot().rounded(.up)
        return shrunk(rows: Int(Double(rows) / factor) + 1, columns: Int(Double(columns) / factor) + 1)
    }
}
