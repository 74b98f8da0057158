import Files
import Foundation
import Kernels
import TestSupport
import Testing
import TensorFiles

/// Runs `body` in a new folder that is gone afterwards.
func withFolder<R>(_ body: (String) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory.appending(path: "auscult-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

private func contents(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

@Suite struct TensorFilesWriterTests {
    enum Form: String, CaseIterable {
        case safetensors, npz

        func writer(_ path: String) throws -> any TensorFileWriter {
            switch self {
            case .safetensors: try SafetensorsWriter(path: path)
            case .npz: try NPZWriter(path: path)
            }
        }
    }

    @Test("nothing is there until the file is finished, and nothing else afterwards", arguments: Form.allCases)
    func appearsWhole(form: Form) throws {
        try withFolder { folder in
            let writer = try form.writer("\(folder)/out")
            try writer.append("x", Tensor(shape: [1000]))
            #expect(try contents(folder) == [])
            try writer.finish(metadata: [:])
            #expect(try contents(folder) == ["out"])
        }
    }

    @Test("a name may be as long as the file system allows", arguments: Form.allCases)
    func longName(form: Form) throws {
        try withFolder { folder in
            let name = String(repeating: "x", count: 255)
            let writer = try form.writer("\(folder)/\(name)")
            try writer.finish(metadata: [:])
            #expect(try contents(folder) == [name])
        }
    }

    @Test("a writer that is dropped leaves nothing, and an older file as it was", arguments: Form.allCases)
    func dropped(form: Form) throws {
        try withFolder { folder in
            let older = Data("older".utf8)
            try older.write(to: URL(fileURLWithPath: "\(folder)/out"))
            do {
                let writer = try form.writer("\(folder)/out")
                try writer.append("x", Tensor(shape: [1000]))
            }
            #expect(try contents(folder) == ["out"])
            #expect(FileManager.default.contents(atPath: "\(folder)/out") == older)
        }
    }

    @Test("a finished file replaces an older one, through a link too", arguments: Form.allCases)
    func replaces(form: Form) throws {
        try withFolder { folder in
            try Data("older".utf8).write(to: URL(fileURLWithPath: "\(folder)/out"))
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: "out")
            let writer = try form.writer("\(folder)/link")
            try writer.append("x", [Int64(1)])
            try writer.finish(metadata: [:])
            #expect(try contents(folder) == ["link", "out"])
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/link") == "out")
            let written = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/out"))
            #expect(written.count > 5)
        }
    }

    @Test("a place that cannot be written to is refused before any work", arguments: Form.allCases)
    func unwritable(form: Form) throws {
        try withFolder { folder in
            #expect(throws: FileError.self) { try form.writer("\(folder)/no/such/folder") }
            #expect(throws: FileError.self) { try form.writer(folder) }
            #expect(throws: FileError.self) { try form.writer("/dev/null") }
            #expect(throws: FileError.self) { try form.writer("") }
            #expect(throws: FileError.self) { try form.writer("\(folder)/new/") }
            #expect(throws: FileError.self) { try form.writer("/proc/out") }
            let tooLong = String(repeating: "x", count: 256)
            #expect(throws: FileError.self) { try form.writer("\(folder)/\(tooLong)") }
            let left = try contents(folder)
            #expect(left == [])
        }
    }

    @Test("names that are taken and data of another size are refused, and end the file", arguments: Form.allCases)
    func invalid(form: Form) throws {
        try withFolder { folder in
            let bytes = [UInt8](repeating: 0, count: 8)
            let wrong: [(String, ElementType, [Int])] = [
                ("x", .float32, [2]), ("", .float32, [2]), ("__metadata__", .float32, [2]), ("y", .float32, [3]),
                ("y", .float32, [-2]), ("y", .float32, [Int.max, 4]), ("y", .q8_0, [2]),
            ]
            for (name, type, shape) in wrong {
                let writer = try form.writer("\(folder)/out")
                try writer.append("x", Tensor(shape: [2]))
                let error = #expect(throws: TensorFileError.self) {
                    try bytes.withUnsafeBytes { try writer.append(name, type: type, shape: shape, bytes: $0) }
                }
                #expect(error?.code == .invalidArgument)
                #expect(throws: TensorFileError.self) { try writer.finish(metadata: [:]) }
            }
            #expect(try contents(folder) == [])
        }
    }

    @Test("nothing can follow the end", arguments: Form.allCases)
    func afterFinish(form: Form) throws {
        try withFolder { folder in
            let writer = try form.writer("\(folder)/out")
            try writer.finish(metadata: [:])
            #expect(throws: TensorFileError.self) { try writer.append("x", Tensor(shape: [2])) }
            #expect(throws: TensorFileError.self) { try writer.finish(metadata: [:]) }
        }
    }
}

@Suite struct TensorFilesNPZTests {
    /// The entries of a stored zip archive, read by its local headers, and its directory checked against them.
    private func entries(_ bytes: [UInt8]) throws -> [(name: String, data: ArraySlice<UInt8>)] {
        func integer(_ at: Int, _ count: Int) -> Int {
            bytes[at..<at + count].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        var entries: [(String, ArraySlice<UInt8>)] = []
        var at = 0
        while integer(at, 4) == 0x0403_4B50 {
            let name = at + 30
            let extra = name + integer(at + 26, 2)
            let start = extra + integer(at + 28, 2)
            let isLong = integer(at + 22, 4) == 0xFFFF_FFFF
            let size = isLong ? integer(extra + 4, 8) : integer(at + 22, 4)
            entries.append((String(decoding: bytes[name..<extra], as: UTF8.self), bytes[start..<start + size]))
            #expect(integer(at + 14, 4) == Int(crc(bytes[start..<start + size])))
            at = start + size
        }
        #expect(integer(at, 4) == 0x0201_4B50)
        return entries
    }

    /// CRC-32 bit by bit, as its definition goes.
    private func crc(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(0xFFFF_FFFF) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
    }

    @Test("an archive has numpy's headers, the elements, and the metadata as bytes", arguments: [false, true])
    func layout(zip64: Bool) throws {
        try withFolder { folder in
            let path = "\(folder)/out.npz"
            let writer = try NPZWriter(path: path, alwaysZip64: zip64)
            try writer.append("encoder.blocks.0", Tensor(shape: [2, 2], [1, 2, 3, 4]))
            try writer.append("tokens", [Int64(7), 8])
            try writer.append("scalar", Tensor(shape: [], [5]))
            try writer.finish(metadata: ["encoder.blocks.0": "é"])

            let entries = try entries([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
            #expect(entries.map(\.name) == ["encoder.blocks.0.npy", "tokens.npy", "scalar.npy", "__metadata__.npy"])
            let expected: [(dictionary: String, data: [UInt8])] = [
                (
                    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2,), }",
                    [1, 2, 3, 4].flatMap { little(Float($0).bitPattern) }
                ),
                ("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", little(Int64(7)) + little(Int64(8))),
                ("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", little(Float(5).bitPattern)),
                (
                    "{'descr': '|S29', 'fortran_order': False, 'shape': (), }",
                    Array(#"{"encoder.blocks.0":"\u00e9"}"#.utf8)
                ),
            ]
            for (entry, expected) in zip(entries, expected) {
                let header = Array(entry.data.prefix(10))
                #expect(header.prefix(8) == [0x93, 78, 85, 77, 80, 89, 1, 0])
                let length = Int(header[8]) | Int(header[9]) << 8
                #expect((10 + length) % 64 == 0)
                let text = String(decoding: entry.data.dropFirst(10).prefix(length), as: UTF8.self)
                #expect(text.hasSuffix("\n"))
                #expect(text.trimmingCharacters(in: .whitespacesAndNewlines) == expected.dictionary)
                #expect(Array(entry.data.dropFirst(10 + length)) == expected.data)
            }
        }
    }

    @Test("a type that numpy has not is refused")
    func bfloat16() throws {
        try withFolder { folder in
            let writer = try NPZWriter(path: "\(folder)/out.npz")
            let error = #expect(throws: TensorFileError.self) {
                try [UInt8](repeating: 0, count: 4).withUnsafeBytes {
                    try writer.append("x", type: .bfloat16, shape: [2], bytes: $0)
                }
            }
            #expect(error?.code == .unsupported)
        }
    }
}

@Suite("A safetensors file whose numbers come in pieces")
struct SafetensorsOutputTests {
    @Test("what was declared and appended is what is read, and names and metadata with it")
    func pieces() throws {
        let folder = try TemporaryFolder()
        let path = folder("pieces.safetensors")
        let output = try SafetensorsOutput(
            path: path, [.init("a\"b", [2, 3]), .init("empty", [0, 4]), .init("c", [])], metadata: ["k": "é"])
        for row in [[1, 2, 3], [4, 5, 6, 7]] as [[Float]] { try output.append(row) }
        #expect(!FileManager.default.fileExists(atPath: path), "the file is there only when it is whole")
        try output.finish()
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == ["k": "é"])
        #expect(try file.tensor(named: "a\"b").elements == [1, 2, 3, 4, 5, 6])
        #expect(try file.tensor(named: "c").elements == [7])
        #expect(try file.tensor(named: "empty").shape == [0, 4])
    }

    @Test("too many numbers, too few, a name twice and a shape beyond reason are refused, and nothing is left")
    func refused() throws {
        let folder = try TemporaryFolder()
        let path = folder("x.safetensors")
        let more = try SafetensorsOutput(path: path, [.init("x", [2])])
        #expect(throws: TensorFileError.self) { try more.append([1, 2, 3]) }
        #expect(throws: TensorFileError.self) { try more.finish() }
        let fewer = try SafetensorsOutput(path: path, [.init("x", [2])])
        try fewer.append([1])
        #expect(throws: TensorFileError.self) { try fewer.finish() }
        #expect(throws: TensorFileError.self) { try SafetensorsOutput(path: path, [.init("x", [1]), .init("x", [1])]) }
        #expect(throws: TensorFileError.self) { try SafetensorsOutput(path: path, [.init("x", [.max, 2])]) }
        #expect(throws: TensorFileError.self) { try SafetensorsOutput(path: path, [.init("x", [-1])]) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
