import Foundation

/// Why a file was not written.
public struct OutputError: Error, CustomStringConvertible, Sendable {
    public let description: String
}

/// Writes a safetensors file whose tensors are known before their numbers: the header goes first, then the numbers as
/// they come. Float32 and little-endian. The file stands under its name only when it is whole.
///
/// A safetensors file is a little-endian u64 (the header's length), a JSON object that gives each tensor's `dtype`,
/// `shape` and `data_offsets`, with strings under `__metadata__`, and the numbers of all tensors behind one another.
public final class SafetensorsOutput {
    public struct Tensor: Sendable {
        public let name: String
        public let shape: [Int]

        public init(_ name: String, _ shape: [Int]) {
            self.name = name
            self.shape = shape
        }
    }

    private let path: String
    private let partial: String
    private let file: FileHandle
    private var left: Int

    /// - Throws: ``OutputError`` where nothing can be written at `path`, two tensors have one name, or one is too large.
    public init(_ path: String, _ tensors: [Tensor], metadata: [String: String]) throws {
        var (members, end, names) = ([String](), 0, Set<String>())
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
            members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        for tensor in tensors {
            let bytes = tensor.shape.reduce((4, false)) { size, extent in
                let (product, over) = size.0.multipliedReportingOverflow(by: extent)
                return (product, size.1 || over || extent < 0)
            }
            guard names.insert(tensor.name).inserted, !bytes.1, bytes.0 < 1 << 46 else {
                throw OutputError(
                    description: "\(path): the tensor '\(tensor.name)' of \(tensor.shape) cannot be written")
            }
            members.append(
                "\(Self.quoted(tensor.name)):{\"dtype\":\"F32\",\"shape\":"
                    + "[\(tensor.shape.map(String.init).joined(separator: ","))],\"data_offsets\":[\(end),\(end + bytes.0)]}"
            )
            end += bytes.0
        }
        var header = Array("{\(members.joined(separator: ","))}".utf8)
        header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
        self.path = path
        self.partial = "\(path).part-\(ProcessInfo.processInfo.processIdentifier)"
        self.left = end
        guard FileManager.default.createFile(atPath: partial, contents: nil),
            let file = FileHandle(forWritingAtPath: partial)
        else { throw OutputError(description: "\(path): a file cannot be made there") }
        self.file = file
        try write(withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + Data(header))
    }

    deinit {
        if left >= 0 { try? FileManager.default.removeItem(atPath: partial) }
    }

    /// The next numbers, of whichever tensor is next.
    public func append(_ numbers: [Float]) throws {
        left -= numbers.count * 4
        guard left >= 0 else {
            left = 0
            throw OutputError(description: "\(path): more numbers than the header has room for")
        }
        try write(numbers.withUnsafeBytes { Data($0) })
    }

    /// Gives the file its name.
    public func finish() throws {
        guard left == 0 else { throw OutputError(description: "\(path): \(left) bytes of numbers are missing") }
        do {
            try file.synchronize()
            try file.close()
        } catch { throw OutputError(description: "\(path): \(error.localizedDescription)") }
        guard rename(partial, path) == 0 else {
            throw OutputError(description: "\(path): \(String(cString: strerror(errno)))")
        }
        left = -1
    }

    private func write(_ data: Data) throws {
        do { try file.write(contentsOf: data) } catch {
            throw OutputError(description: "\(path): \(error.localizedDescription)")
        }
    }

    /// A JSON string.
    public static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
