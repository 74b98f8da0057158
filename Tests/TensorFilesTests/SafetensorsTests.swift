import Foundation
import Kernels
import TestSupport
import Testing
import TensorFiles

private func open(_ header: String, _ data: [UInt8] = []) throws -> SafetensorsFile {
    try SafetensorsFile(FileBytes(name: "some.safetensors", copying: safetensorsBytes(header: header, data)))
}

private func entry(_ name: String, _ shape: String, _ begin: Int, _ end: Int, dtype: String = "F32") -> String {
    "\"\(name)\": {\"dtype\": \"\(dtype)\", \"shape\": \(shape), \"data_offsets\": [\(begin), \(end)]}"
}

@Suite struct TensorFilesSafetensorsTests {
    @Test("names, shapes, types, metadata and elements come out as they were written")
    func readsWhatWasWritten() throws {
        try withFolder { folder in
            let path = "\(folder)/t.safetensors"
            let writer = try SafetensorsWriter(path: path)
            try writer.append("b", Tensor(shape: [2, 3], [1, -0.0, .infinity, .pi, .leastNonzeroMagnitude, 3]))
            try writer.append("a\"é\n", [Int64(3), -1])
            try writer.append("scalar", Tensor(shape: [], [7]))
            try writer.append("empty", Tensor(shape: [0, 4]))
            try writer.append("c", [Int32.min])
            #expect(!FileManager.default.fileExists(atPath: path))
            try writer.finish(metadata: ["b": "{\"axes\": [\"frame\"]}", "é": "\u{1F600}\u{1}"])

            let file = try SafetensorsFile(path: path)
            #expect(file.names == ["a\"é\n", "b", "c", "empty", "scalar"])
            #expect(file.metadata == ["b": "{\"axes\": [\"frame\"]}", "é": "\u{1F600}\u{1}"])
            #expect(file.shape(of: "b") == [2, 3])
            #expect(file.shape(of: "empty") == [0, 4])
            #expect(file.elementType(of: "a\"é\n") == .int64)
            #expect(file.elementType(of: "c") == .int32)
            let written: [Float] = [1, -0.0, .infinity, .pi, .leastNonzeroMagnitude, 3]
            let read = try file.tensor(named: "b").elements
            #expect(read.map(\.bitPattern) == written.map(\.bitPattern))
            #expect(try file.tensor(named: "a\"é\n").elements == [3, -1])
            #expect(try file.tensor(named: "scalar").shape == [])
            #expect(try file.tensor(named: "empty").count == 0)
            let error = #expect(throws: TensorFileError.self) { try file.tensor(named: "d") }
            #expect(error?.code == .notFound)
        }
    }

    @Test("every plain type becomes float32")
    func types() throws {
        let header = [
            entry("bool", "[2]", 0, 2, dtype: "BOOL"), entry("u8", "[2]", 2, 4, dtype: "U8"),
            entry("i8", "[1]", 4, 5, dtype: "I8"), entry("i16", "[1]", 5, 7, dtype: "I16"),
            entry("f64", "[1]", 7, 15, dtype: "F64"), entry("bf16", "[1]", 15, 17, dtype: "BF16"),
            entry("f16", "[1]", 17, 19, dtype: "F16"), entry("u64", "[1]", 19, 27, dtype: "U64"),
        ].joined(separator: ",")
        let data: [UInt8] =
            [0, 9, 0, 255, 0x80] + little(Int16(-300)) + little(Double(0.1).bitPattern)
            + little(UInt16(0x3FC0)) + little(UInt16(0xC000)) + little(UInt64.max)
        let file = try open("{\(header)}", data)
        let expected: [String: [Float]] = [
            "bool": [0, 1], "u8": [0, 255], "i8": [-128], "i16": [-300], "f64": [0.1], "bf16": [1.5], "f16": [-2],
            "u64": [0x1p64],
        ]
        for (name, values) in expected { #expect(try file.tensor(named: name).elements == values, "\(name)") }
    }

    @Test("float32 data that is not aligned is copied, not viewed")
    func unaligned() throws {
        let header = "{\(entry("pad", "[1]", 0, 1, dtype: "U8")), \(entry("x", "[2]", 1, 9))}"
        let file = try open(header, [0] + little(Float(1.5).bitPattern) + little(Float(-2).bitPattern))
        #expect(try file.tensor(named: "x").elements == [1.5, -2])
    }

    @Test(
        "headers that do not describe the data are refused with the file's name",
        arguments: [
            "{\(entry("a", "[2]", 0, 8))}",  // needs eight bytes of four
            "{\(entry("a", "[1]", 0, 4)), \(entry("b", "[1]", 0, 4))}",  // overlap
            "{\(entry("a", "[1]", 0, 4)), \(entry("b", "[1]", 2, 6))}",
            "{}", "{\(entry("a", "[0]", 0, 0))}",  // bytes that belong to nothing
            "{\(entry("a", "[1]", 1, 4))}",  // gap
            "{\(entry("a", "[2]", 0, 4))}", "{\(entry("a", "[1]", 4, 0))}", "{\(entry("a", "[1]", -4, 0))}",
            "{\(entry("a", "[-1]", 0, 4))}", "{\(entry("a", "[4611686018427387904, 4]", 0, 4))}",
            "{\(entry("a", "[1.0]", 0, 4))}", "{\(entry("a", "1", 0, 4))}", "{\(entry("a", "[1]", 0, 9_000_000_000))}",
            "{\(entry("a", "[1]", 0, 4)), \(entry("a", "[1]", 0, 4))}",  // twice
            "{\(entry("a", "[1]", 0, 4, dtype: "Q4_0"))}", "{\(entry("a", "[1]", 0, 4, dtype: "F8_E4M3"))}",
            "{\"a\": 1}", "{\"a\": {}}", "[]", "{", "", "null", "{\(entry("a", "[1]", 0, 4))} x",
            "{\"__metadata__\": {\"a\": 1}, \(entry("a", "[1]", 0, 4))}",
            "{\"__metadata__\": [], \(entry("a", "[1]", 0, 4))}",
        ])
    func damagedHeaders(header: String) {
        let error = #expect(throws: TensorFileError.self) { try open(header, [0, 0, 0, 0]) }
        #expect(error?.message.contains("some.safetensors") == true)
    }

    @Test("a header that is longer than the file, or than the format allows, is refused before it is read")
    func headerLength() {
        for length in [3, 100_000_001, UInt64(Int64.max), .max] {
            let bytes = FileBytes(name: "some.safetensors", copying: little(length) + [0x7B, 0x7D])
            #expect(throws: TensorFileError.self) { try SafetensorsFile(bytes) }
        }
        // Of a million tensors, and all of it is there.
        let length = SafetensorsFile.maximumHeader + 1
        let long = little(UInt64(length)) + [UInt8](repeating: 0x20, count: length)
        let error = #expect(throws: TensorFileError.self) {
            try SafetensorsFile(FileBytes(name: "long.safetensors", copying: long))
        }
        #expect(error?.message.contains("at most 16000000 are read") == true, "\(error?.message ?? "")")
    }

    @Test(
        "a tensor of terabytes in a file that is nothing but a hole is refused before it is read",
        arguments: ["F32", "BF16"])
    func hole(type: String) throws {
        try withFolder { folder in
            let size = 1 << 41, path = "\(folder)/hole.safetensors"
            try writeHole(to: path, "x", shape: [size / (type == "F32" ? 4 : 2)], type: type, bytes: size)
            let file = try SafetensorsFile(path: path)
            let error = #expect(throws: TensorFileError.self) { try file.tensor(named: "x") }
            #expect(error?.code == .resourceExhausted)
            #expect(error?.message.contains("half of this machine's memory") == true, "\(error?.message ?? "")")
        }
    }
}

@Suite struct TensorFilesJSONTests {
    private func parse(_ text: String) throws -> JSONValue {
        try JSONValue(parsing: FileBytes(name: "some.json", copying: text.utf8))
    }

    @Test("values come out as they are spelt")
    func values() throws {
        let text =
            #" {"a": [1, -2.5e1, true, false, null, "\u00e9\n\ud83d\ude00\\\/"], "": {}, "n": 9223372036854775807} "#
        let expected = JSONValue.object([
            "a": .array([.integer(1), .number(-25), .bool(true), .bool(false), .null, .string("é\n😀\\/")]),
            "": .object([:]), "n": .integer(.max),
        ])
        #expect(try parse(text) == expected)
        #expect(try parse("18446744073709551616") == .number(0x1p64))
    }

    @Test("text that is written is read back", arguments: ["", "plain", "\"\\\u{7F}\u{0}\n", "é😀\u{FFFF}"])
    func quoting(text: String) throws {
        #expect(try parse(JSONValue.quoted(text)) == .string(text))
        #expect(JSONValue.quoted(text).utf8.allSatisfy { $0 < 0x7F && $0 >= 0x20 })
    }

    @Test(
        "what is not JSON is refused",
        arguments: [
            "", " ", "{", "}", "[1,]", "{\"a\":}", "{\"a\" 1}", "{a: 1}", "{\"a\":1,}", "nul", "truex", "01", "-", "1.",
            ".5",
            "1e", "+1", "NaN", "Infinity", "1e999", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"",
            "\"\\udc00\"", "\"\n\"", "1 2", "{\"a\":1,\"a\":2}", "\u{FEFF}{}", "[1 2]", "'a'",
            "{\"\u{E9}\":1,\"e\u{301}\":2}",
        ])
    func malformed(text: String) {
        #expect(throws: TensorFileError.self) { try parse(text) }
    }

    @Test("bytes that are no UTF-8, and nesting without end, are refused")
    func hostile() {
        #expect(throws: TensorFileError.self) {
            try JSONValue(parsing: FileBytes(name: "some.json", copying: [0x22, 0xFF, 0x22]))
        }
        #expect(throws: TensorFileError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: TensorFileError.self) { try parse(String(repeating: "{\"a\":", count: 1_000_000)) }
    }
}
