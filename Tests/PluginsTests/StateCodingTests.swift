import PluginKit
import Testing

@Suite("Saved values")
struct StateCodingTests {
    struct Inner: Codable, Equatable {
        var name: String
        var values: [Double]
        var small: [Float]
        var counts: [Int]
        var nested: [[Int32]]
    }
    struct Everything: Codable, Equatable {
        var flag = true
        var integers = [Int.min, -1, 0, 23, 24, 255, 256, 65_535, 65_536, 1 << 40, .max]
        var byte: UInt8 = 255, big = UInt64.max, low = Int64.min
        var missing: String?
        var there: String? = "é∞"
        var bytes: [UInt8] = [0, 1, 255]
        var inner = Inner(
            name: "", values: [0.1, -0.0, .leastNonzeroMagnitude, .infinity], small: [0.1], counts: [],
            nested: [[1], []])
        var map = ["b": 1.5, "a": -2]
        var numbered = [3: "c", 1: "a"]
        var list: [Inner?] = [nil]
        var holes: [Double?] = [1, 2]
        var empty: [[Float]] = [[]]
    }

    @Test("Every kind of value comes back as it was")
    func roundTrip() throws {
        let value = Everything()
        #expect(try StateDecoder.decode(Everything.self, from: StateEncoder.encode(value)) == value)
    }

    @Test("Numbers come back to the bit, a NaN's payload too")
    func bits() throws {
        let doubles = [
            Double(bitPattern: 0x7FF8_0000_0000_1234), -0.0, 0.1, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
        ]
        let floats = [Float(bitPattern: 0x7FC0_0012), -0.0, 0.1]
        #expect(
            try StateDecoder.decode([Double].self, from: StateEncoder.encode(doubles)).map(\.bitPattern)
                == doubles.map(\.bitPattern))
        #expect(
            try StateDecoder.decode([Float].self, from: StateEncoder.encode(floats)).map(\.bitPattern)
                == floats.map(\.bitPattern))
        #expect(
            try StateDecoder.decode(Double.self, from: StateEncoder.encode(doubles[0])).bitPattern
                == doubles[0].bitPattern)
    }

    @Test("The bytes are CBOR: a map with sorted keys, typed arrays")
    func format() throws {
        #expect(try StateEncoder.encode(["b": 1, "a": 500]) == [0xA2, 0x61, 0x61, 0x19, 0x01, 0xF4, 0x61, 0x62, 0x01])
        #expect(try StateEncoder.encode([1.0]) == [0xD8, 0x56, 0x48, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F])
        #expect(try StateEncoder.encode(-1) == [0x20])
    }

    @Test("A million numbers cost about their own size")
    func compact() throws {
        #expect(try StateEncoder.encode([Double](repeating: 0.1, count: 1_000_000)).count < 8_000_020)
    }

    @Test("Damaged bytes throw or give another value; nothing traps")
    func damage() throws {
        let bytes = try StateEncoder.encode(Everything())
        for length in bytes.indices {
            #expect(throws: PluginError.self) {
                try StateDecoder.decode(Everything.self, from: Array(bytes.prefix(length)))
            }
        }
        var refused = 0
        for place in bytes.indices {
            for value in [0x00, 0x1B, 0x5B, 0x9B, 0xBB, 0xDB, 0xFF] as [UInt8] {
                var damaged = bytes
                damaged[place] = value
                do { _ = try StateDecoder.decode(Everything.self, from: damaged) } catch is PluginError { refused += 1 }
            }
        }
        #expect(refused > bytes.count)
        #expect(throws: PluginError.self) {
            try StateDecoder.decode([[Int]].self, from: [UInt8](repeating: 0x81, count: 100_000))
        }
    }

    @Test("What does not fit says what was expected, and where")
    func mismatch() throws {
        let error = #expect(throws: PluginError.self) {
            try StateDecoder.decode([String: [String: Double]].self, from: StateEncoder.encode(["a": ["b": "c"]]))
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("Double expected, text came at a.b") == true)
        #expect(throws: PluginError.self) { try StateDecoder.decode(UInt8.self, from: StateEncoder.encode(256)) }
        #expect(throws: PluginError.self) { try StateDecoder.decode(Int.self, from: StateEncoder.encode(UInt64.max)) }
    }
}
