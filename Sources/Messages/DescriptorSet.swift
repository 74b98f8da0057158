import CProtos

/// The descriptors of the whole contract, as reflection gives them away.
public enum DescriptorSet {
    /// A serialized `google.protobuf.FileDescriptorSet`, comments included; constants of the program.
    public static var bytes: [UInt8] {
        var size = 0
        guard let start = auscult_descriptor_set(&size) else { return [] }
        return Array(UnsafeBufferPointer(start: start, count: size))
    }
}
