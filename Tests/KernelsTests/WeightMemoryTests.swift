import Testing

@testable import Kernels

@Suite("Memory for weights") struct WeightMemoryTests {
    @Test("pieces are aligned, do not overlap, and keep what is written whatever becomes of others")
    func pieces() {
        let sizes = [1, 64, 65, 4096, 1 << 20, 17 << 20, 0, 3]
        var pieces = sizes.map { (WeightMemory(byteCount: $0), $0) }
        for (index, (piece, size)) in pieces.enumerated() {
            #expect(UInt(bitPattern: piece.base) % 64 == 0)
            piece.base.initializeMemory(as: UInt8.self, repeating: UInt8(index), count: size)
        }
        // Every other one goes, and others take what room there is.
        pieces = pieces.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        let others = sizes.map { WeightMemory(byteCount: $0) }
        for (piece, size) in zip(others, sizes) {
            piece.base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: size)
        }
        for (index, (piece, size)) in pieces.enumerated() {
            let bytes = UnsafeRawBufferPointer(start: piece.base, count: size)
            #expect(bytes.allSatisfy { $0 == UInt8(2 * index + 1) }, "\(size) bytes")
        }
    }

    @Test("a piece that goes before another is cut leaves its place to that")
    func givenBack() {
        // A chunk of its own, with some room left.
        let first = WeightMemory(byteCount: (16 << 20) - 4096)
        let place = WeightMemory(byteCount: 1000).base
        let next = WeightMemory(byteCount: 10)
        #expect(next.base == place && next.base != first.base)
    }
}
