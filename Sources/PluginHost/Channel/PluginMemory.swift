import Messages

/// Memory for a plugin's process that is filled part by part.
protocol PluginMemory: ~Copyable {
    /// Bytes that were put into it.
    var size: Int { get }
    /// - Returns: the offset of `bytes`, a multiple of ``PluginMemoryLayout/alignment``.
    mutating func append(_ bytes: UnsafeRawBufferPointer) throws -> UInt64
}

enum PluginMemoryLayout {
    static let alignment = 64

    static func aligned(_ offset: Int) -> Int { (offset + alignment - 1) / alignment * alignment }
}

extension PluginMemory where Self: ~Copyable {
    mutating func append(_ tensor: PluginTensor) throws -> HostV1.MappedTensor {
        let expected = try tensor.byteCount
        guard tensor.axes.count <= PluginTensor.mostAxes else {
            throw PluginError(
                .invalidArgument, "tensor \(tensor.hook): \(tensor.axes.count) axes, at most \(PluginTensor.mostAxes)")
        }
        var offset: UInt64 = 0
        var came = 0
        try tensor.withBytes { bytes in
            came = bytes.count
            if bytes.count == expected { offset = try append(bytes) }
        }
        guard came == expected else {
            throw PluginError(
                .invalidArgument, "tensor \(tensor.hook): \(came) bytes for \(tensor.shape), expected \(expected)")
        }
        return HostV1.MappedTensor(
            dtype: tensor.dtype, shape: tensor.shape.map { UInt64($0) }, hook: tensor.hook, axes: tensor.axes,
            firstPosition: Int64(tensor.firstPosition), positionsPerSecond: tensor.positionsPerSecond,
            validPositions: Int64(tensor.validPositions), offset: offset)
    }
}
