import Foundation
import Kernels

/// A small repeatable generator, so that a failing test fails again.
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    public mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        (0..<count).map { _ in Float.random(in: range, using: &self) }
    }
}

/// The largest absolute difference; infinite where lengths differ or one side is not a number.
/// Equal infinities differ by nothing.
public func largestDifference(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { largest, pair in
        if pair.0 == pair.1 { return largest }
        let difference = abs(pair.0 - pair.1)
        return difference.isNaN ? .infinity : max(largest, difference)
    }
}

/// Lengths at which vector code goes wrong: nothing, one, around the width and its multiples, odd ones.
public let awkwardLengths = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 1501]

/// The bytes of an integer, the lowest first.
public func little(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }

/// A safetensors file of this header, sound or not.
public func safetensorsBytes(header: String, _ data: [UInt8]) -> [UInt8] {
    little(UInt64(header.utf8.count)) + Array(header.utf8) + data
}

/// A safetensors file of one tensor whose elements are a hole: it says that it has terabytes, and takes a block.
public func writeHole(to path: String, _ name: String, shape: [Int], type: String, bytes: Int) throws {
    let header = "{\"\(name)\": {\"dtype\": \"\(type)\", \"shape\": \(shape), \"data_offsets\": [0, \(bytes)]}}"
    let beginning = safetensorsBytes(header: header, [])
    try Data(beginning).write(to: URL(fileURLWithPath: path))
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.truncate(atOffset: UInt64(beginning.count + bytes))
    try file.close()
}
