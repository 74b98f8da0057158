import CZlib

/// How many times smaller zlib makes a text: far above 2 where it repeats itself.
///
/// The measure is zlib's own length at its default level, so that a threshold means what it means in openai/whisper.
package func compressionRatio(of text: String) throws -> Double {
    let bytes = Array(text.utf8)
    var length = compressBound(uLong(bytes.count))
    var compressed = [UInt8](repeating: 0, count: Int(length))
    let status = compress(&compressed, &length, bytes, uLong(bytes.count))
    guard status == Z_OK else {
        throw WhisperError(.unavailable, "zlib could not compress \(bytes.count) bytes: status \(status)")
    }
    return Double(bytes.count) / Double(length)
}
