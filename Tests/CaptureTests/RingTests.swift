import CCapture
import Foundation
import Testing

@Suite("The ring between the callback and its reader") struct RingTests {
    private func read(_ ring: OpaquePointer, capacity: Int = 64) -> (samples: [Float], block: auscult_block)? {
        var samples = [Float](repeating: 0, count: capacity)
        var block = auscult_block()
        guard auscult_ring_read(ring, &samples, capacity, &block) == 1 else { return nil }
        return (Array(samples.prefix(Int(block.frames))), block)
    }

    @Test("blocks come out as they went in, in order, around the ring's end")
    func order() throws {
        let ring = try #require(auscult_ring_create(16, 4))
        defer { auscult_ring_free(ring) }
        #expect(read(ring) == nil)
        var next: Float = 0
        for round in 0..<50 {
            let count = round % 7 + 1
            let sent = (0..<count).map { next + Float($0) }
            next += Float(count)
            auscult_ring_write(ring, sent, UInt32(count), round % 3 == 0 ? 1 : 0, Double(round))
            let found = try #require(read(ring))
            #expect(found.samples == sent && found.block.time == Double(round) && found.block.lost == 0)
            #expect(found.block.overflow == (round % 3 == 0 ? 1 : 0))
        }
    }

    @Test("what finds no room is counted and told with the next block, and so is an overflow before it")
    func full() throws {
        let ring = try #require(auscult_ring_create(16, 4))
        defer { auscult_ring_free(ring) }
        let ten = [Float](repeating: 1, count: 10)
        auscult_ring_write(ring, ten, 10, 0, 0)
        auscult_ring_write(ring, ten, 10, 1, 1)
        auscult_ring_write(ring, ten, 7, 0, 2)
        #expect(read(ring)?.block.lost == 0)
        auscult_ring_write(ring, ten, 10, 0, 3)
        let found = try #require(read(ring))
        #expect(found.block.lost == 17 && found.block.overflow == 1 && found.block.time == 3)
        // Blocks are bounded as well.
        for index in 0..<6 { auscult_ring_write(ring, ten, 1, 0, Double(index)) }
        for index in 0..<4 { #expect(read(ring)?.block.time == Double(index)) }
        #expect(read(ring) == nil)
    }

    @Test("a block that does not fit what it is read into stays where it is")
    func capacity() throws {
        let ring = try #require(auscult_ring_create(16, 4))
        defer { auscult_ring_free(ring) }
        auscult_ring_write(ring, [1, 2, 3], 3, 0, 0)
        var (samples, block) = ([Float](repeating: 0, count: 2), auscult_block())
        #expect(auscult_ring_read(ring, &samples, 2, &block) == -1)
        #expect(read(ring)?.samples == [1, 2, 3])
    }

    @Test("a writer and a reader on two threads lose nothing that is not counted, and nothing comes twice")
    func threads() throws {
        // Sendable: the ring is made for two threads.
        struct Shared: @unchecked Sendable { let ring: OpaquePointer }
        let shared = Shared(ring: try #require(auscult_ring_create(256, 16)))
        defer { auscult_ring_free(shared.ring) }
        let blocks = 20_000
        let writer = Thread {
            var next: Float = 0
            for index in 0..<blocks {
                let count = index % 31 + 1
                auscult_ring_write(shared.ring, (0..<count).map { next + Float($0) }, UInt32(count), 0, 0)
                next += Float(count)
            }
        }
        writer.start()
        let total = (0..<blocks).reduce(0) { $0 + $1 % 31 + 1 }
        var at = 0
        while at < total {
            guard let found = read(shared.ring) else {
                auscult_ring_wait(shared.ring, 10)
                // The last blocks may be the ones that are lost: nothing follows that tells of them.
                if writer.isFinished, let last = read(shared.ring) {
                    at += Int(last.block.lost) + last.samples.count
                } else if writer.isFinished {
                    break
                }
                continue
            }
            at += Int(found.block.lost)
            for sample in found.samples {
                #expect(sample == Float(at))
                at += 1
            }
        }
        #expect(at > 0 && at <= total)
    }
}
