import Kernels
import Synchronization
import Testing

@Suite struct TensorTests {
    @Test("writing to a copy leaves the original as it was")
    func copyOnWrite() {
        let original = Tensor(shape: [2, 3], [1, 2, 3, 4, 5, 6])
        var copy = original
        copy[1, 2] = 60
        #expect(original.elements == [1, 2, 3, 4, 5, 6])
        #expect(copy.elements == [1, 2, 3, 4, 5, 60])
    }

    @Test("writing to a view leaves the memory that it viewed as it was, and keeps its owner alive while it reads")
    func views() {
        final class Owner {
            let memory = UnsafeMutablePointer<Float>.allocate(capacity: 4)
            init() { for i in 0..<4 { memory[i] = Float(i) } }
            deinit { memory.deallocate() }
        }
        weak var watched: Owner?
        var view: Tensor?
        do {
            let owner = Owner()
            watched = owner
            view = Tensor(shape: [4], viewing: owner.memory, owner: owner)
        }
        #expect(watched != nil)
        var written = view!
        written[0] = 9
        #expect(view!.elements == [0, 1, 2, 3])
        #expect(written.elements == [9, 1, 2, 3])
        view = nil
        #expect(watched == nil)
    }

    @Test("rows are copied out, also none of them")
    func rows() {
        let tensor = Tensor(shape: [3, 2], [1, 2, 3, 4, 5, 6])
        #expect(tensor.rows(1..<3).elements == [3, 4, 5, 6])
        #expect(tensor.rows(1..<1).shape == [0, 2])
        #expect(Tensor(shape: []).count == 1)
        #expect(Tensor(shape: [0, 4]).elements.isEmpty)
    }

    @Test("adding works in place", arguments: [1, 8, 1001])
    func adding(count: Int) {
        var sum = Tensor(shape: [count], (0..<count).map(Float.init))
        sum.add(Tensor(shape: [count], (0..<count).map { Float(2 * $0) }))
        #expect(sum.elements == (0..<count).map { Float(3 * $0) })
    }

    @Test("every task runs once, whatever their number", arguments: [0, 1, 2, 7, 1000])
    func parallel(count: Int) {
        let total = Atomic<Int>(0), sum = Atomic<Int>(0)
        Parallel.forEach(count) { task in
            total.wrappingAdd(1, ordering: .relaxed)
            sum.wrappingAdd(task, ordering: .relaxed)
        }
        #expect(total.load(ordering: .relaxed) == count)
        #expect(sum.load(ordering: .relaxed) == count * (count - 1) / 2)
        let covered = Atomic<Int>(0)
        Parallel.blocks(of: 16, in: count) { covered.wrappingAdd($0.count, ordering: .relaxed) }
        #expect(covered.load(ordering: .relaxed) == count)
    }
}
