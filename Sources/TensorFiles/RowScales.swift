/// What the numbers of a tensor were multiplied with before they were rounded to whole ones: a value is number / scale.
///
/// One scale for each row along the first axis, or one for the whole tensor.
package struct RowScales: Sendable {
    private let values: [Float]

    /// - Parameter stored: of one element, or of as many as `tensor` has rows.
    /// - Throws: ``TensorFileError`` (`dataLoss`) for another number of scales, or one that no number can be divided by.
    package init(_ stored: StoredTensor, of tensor: StoredTensor) throws {
        let rows = tensor.shape.first ?? 1
        guard stored.shape.count <= 1, let count = checkedProduct(stored.shape), count == 1 || count == rows else {
            throw TensorFileError(
                .dataLoss,
                "\(stored.bytes.name): scales of shape \(stored.shape) for \(rows) rows; expected one each, or one")
        }
        values = try stored.float32().elements
        guard let odd = values.first(where: { !($0.isFinite && $0 > 0) }) else { return }
        throw TensorFileError(.dataLoss, "\(stored.bytes.name): a scale is \(odd); expected numbers above 0")
    }

    private init(_ values: [Float]) { self.values = values }

    /// Those of some rows.
    func rows(_ range: Range<Int>) -> RowScales { values.count == 1 ? self : RowScales(Array(values[range])) }

    /// Divides rows of `columns` numbers each by their scales, where they lie.
    func divide(_ numbers: UnsafeMutableBufferPointer<Float>, columns: Int) {
        guard columns > 0 else { return }
        for row in 0..<numbers.count / columns {
            let scale = values[values.count == 1 ? 0 : row]
            for index in row * columns..<(row + 1) * columns { numbers[index] /= scale }
        }
    }
}
