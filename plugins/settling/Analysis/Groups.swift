import PluginKit

/// What is looked at of one hook point: its columns one by one, or the vectors of its heads.
struct Groups: Codable, Equatable {
    let hook: String
    /// Columns, or heads.
    let count: Int
    /// Numbers of each: 1 of a column, a head's of a head.
    let width: Int
    var areHeads: Bool { width > 1 }

    /// - Throws: ``PluginError`` (`invalidArgument`) for a tensor that has no row for each frame.
    init(_ tensor: TensorView) throws {
        guard tensor.rank >= 2, tensor.axes.first == "frame" else {
            throw PluginError(
                .invalidArgument,
                "\(tensor.hook) has the axes \(tensor.axes.joined(separator: ", ")); settling looks at activations with a row for each "
                    + "frame, such as encoder.blocks.*.mlp.1 and encoder.blocks.*.attn.z")
        }
        hook = tensor.hook
        let heads = tensor.axis("head") == 1 && tensor.rank == 3
        count = heads ? tensor.shape[1] : tensor.shape.dropFirst().reduce(1, *)
        width = heads ? tensor.shape[2] : 1
    }

    /// Numbers of a frame.
    var columns: Int { count * width }

    /// The magnitude of one group of a row.
    func magnitude(_ row: UnsafePointer<Float>, _ group: Int) -> Float {
        guard width > 1 else { return abs(row[group]) }
        var sum: Float = 0
        for i in group * width..<(group + 1) * width { sum += row[i] * row[i] }
        return sum.squareRoot()
    }

    /// How far one group of two rows is apart.
    func distance(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ group: Int) -> Float {
        guard width > 1 else { return abs(a[group] - b[group]) }
        var sum: Float = 0
        for i in group * width..<(group + 1) * width { sum += (a[i] - b[i]) * (a[i] - b[i]) }
        return sum.squareRoot()
    }
}
