/// The header of a safetensors file that is being written: its tensors in the order of their bytes.
struct SafetensorsHeader {
    private var entries: [String] = []
    /// Bytes of the data that the tensors so far take.
    private(set) var end = 0

    mutating func append(_ name: String, _ type: ElementType, _ shape: [Int], bytes: Int) {
        let extents = shape.map(String.init).joined(separator: ",")
        entries.append(
            "\(JSONValue.quoted(name)):{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(extents)],"
                + "\"data_offsets\":[\(end),\(end + bytes)]}")
        end += bytes
    }

    /// The length and the JSON, padded with spaces so that the data is aligned to 8 bytes.
    /// - Throws: ``TensorFileError`` (`invalidArgument`) where the format has no room for it.
    func bytes(metadata: [String: String], file: String) throws -> [UInt8] {
        var members = entries
        if !metadata.isEmpty { members.insert("\"__metadata__\":\(JSONValue.object(metadata))", at: 0) }
        var text = Array("{\(members.joined(separator: ","))}".utf8)
        while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
        guard text.count <= SafetensorsFile.maximumHeader else {
            throw TensorFileError(
                .invalidArgument, "\(file): a header of \(text.count) bytes is more than safetensors allows")
        }
        return withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text
    }
}
