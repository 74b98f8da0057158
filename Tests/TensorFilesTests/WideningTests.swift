import Foundation
import Kernels
import TestSupport
import Testing
import TensorFiles

@Suite struct TensorFilesWideningTests {
    /// A safetensors file of all 65,536 patterns of a 16-bit type, in order.
    private func everyPattern(_ dtype: String) throws -> [Float] {
        let header = "{\"x\": {\"dtype\": \"\(dtype)\", \"shape\": [65536], \"data_offsets\": [0, 131072]}}"
        let data = (0...UInt16.max).flatMap { little($0) }
        let file = try SafetensorsFile(FileBytes(name: "x", copying: safetensorsBytes(header: header, data)))
        return try file.tensor(named: "x").elements
    }

    @Test("every f16 becomes the float32 of the same value, subnormals, infinities and NaN too")
    func float16() throws {
        let values = try everyPattern("F16")
        for bits in 0...UInt16.max {
            let exponent = Int(bits >> 10 & 0x1F)
            let significand = Double(bits & 0x3FF)
            let sign: Double = bits >> 15 == 1 ? -1 : 1
            let value = values[Int(bits)]
            switch exponent {
            case 31 where significand > 0: #expect(value.isNaN)
            case 31: #expect(value == Float(sign) * .infinity)
            case 0: #expect(value.bitPattern == Float(sign * significand * 0x1p-24).bitPattern)
            default:
                let exact = sign * (1 + significand / 1024) * pow(2, Double(exponent - 15))
                #expect(value.bitPattern == Float(exact).bitPattern)
            }
        }
    }

    @Test("every bf16 is the upper half of its float32")
    func bfloat16() throws {
        let values = try everyPattern("BF16")
        for bits in 0...UInt16.max { #expect(values[Int(bits)].bitPattern == UInt32(bits) << 16) }
    }

    @Test("an empty file maps, and a mapped file has the file's bytes")
    func mapping() throws {
        try withFolder { folder in
            try Data().write(to: URL(fileURLWithPath: "\(folder)/empty"))
            #expect(try MappedFile("\(folder)/empty").bytes.count == 0)
            try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(folder)/three"))
            #expect(try MappedFile("\(folder)/three").bytes.array == [1, 2, 3])
            #expect(throws: TensorFileError.self) { try MappedFile(folder) }
            #expect(throws: TensorFileError.self) { try MappedFile("\(folder)/none") }
        }
    }
}
