import Files

/// Writes a safetensors file whose tensors are known before their numbers: the header goes first, then the numbers as
/// they come, so that neither memory nor disk ever holds more than the file. Float32.
///
/// Where names and shapes are known last, ``SafetensorsWriter`` writes the same format.
public final class SafetensorsOutput {
    /// A tensor that will come.
    public struct Declaration: Sendable {
        public let name: String
        /// Extents, outermost first.
        public let shape: [Int]

        public init(_ name: String, _ shape: [Int]) {
            self.name = name
            self.shape = shape
        }
    }

    private let file: PendingFile
    private var left: Int
    private var isOpen = true

    /// - Throws: ``TensorFileError`` (`invalidArgument`) where two tensors have one name or one is too large;
    ///   ``Files/FileError`` (`cannotCreate`) where nothing can be written at `path`.
    public init(path: String, _ tensors: [Declaration], metadata: [String: String] = [:]) throws {
        var (header, names) = (SafetensorsHeader(), TensorNames(path: path))
        for tensor in tensors {
            // Sizes are summed, so each stays far from what an Int holds.
            guard let size = ElementType.float32.byteCount(of: tensor.shape), size < 1 << 46 else {
                throw TensorFileError(
                    .invalidArgument, "cannot write tensor '\(tensor.name)' to \(path): \(tensor.shape) is too large")
            }
            try names.admit(tensor.name, .float32, tensor.shape, bytes: size)
            header.append(tensor.name, .float32, tensor.shape, bytes: size)
        }
        self.left = header.end
        self.file = try PendingFile(path)
        try header.bytes(metadata: metadata, file: path).withUnsafeBytes { try file.write($0) }
    }

    /// The next numbers, of whichever tensor is next.
    /// - Throws: ``TensorFileError`` (`invalidArgument`) where the header has no room for them; ``Files/FileError``.
    public func append(_ numbers: [Float]) throws {
        try numbers.withUnsafeBytes { bytes in
            guard isOpen, bytes.count <= left else {
                isOpen = false
                throw TensorFileError(
                    .invalidArgument, "\(file.destination): more numbers than the header has room for")
            }
            isOpen = false
            try file.write(bytes)
            isOpen = true
            left -= bytes.count
        }
    }

    /// Gives the file its name.
    /// - Throws: ``TensorFileError`` (`invalidArgument`) where numbers are missing; ``Files/FileError``.
    public func finish() throws {
        guard isOpen, left == 0 else {
            throw TensorFileError(.invalidArgument, "\(file.destination): \(left) bytes of numbers are missing")
        }
        isOpen = false
        try file.commit()
    }
}
