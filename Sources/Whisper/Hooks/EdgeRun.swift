import Kernels

/// The edges of one run: what a contribution to the residual stream is changed by, for those alone who are to read it changed.
///
/// A head's contribution is its z times its columns of the output projection, a neuron's its activation times its column of the second
/// layer. A reader at the end of an edge normalises the stream plus the contribution's change, and computes from that what the edge names of
/// it: its queries, keys, values, neurons. The stream itself, and with it everybody else, keeps what it was; what the reader then adds to the
/// stream goes on. This is path patching of one edge (Goldowsky-Dill et al., arXiv 2304.05969), exact.
final class EdgeRun {
    private let edges: [Intervention]
    /// What each edge changes in the stream: [rows, state], those of the pass under way.
    private var deltas: [Int: Tensor] = [:]

    init(_ interventions: [Intervention]) { edges = interventions.filter { $0.edge != nil } }

    var isEmpty: Bool { edges.isEmpty }

    /// A pass begins.
    func begin() { deltas = [:] }

    func beginning(at point: HookPoint) -> [(number: Int, edge: Intervention)] {
        edges.enumerated().filter { $1.targets.contains(point) }.map { ($0, $1) }
    }

    /// An edge of several contributions carries their sum.
    func keep(_ delta: Tensor, of edge: Int) {
        if deltas[edge] == nil { deltas[edge] = delta } else { deltas[edge]?.add(delta) }
    }

    /// What readers get there, and which of their heads get the same.
    func ending(at point: HookPoint, heads: Int) -> [(heads: [Int], delta: Tensor)] {
        var readers: [[Int]: [Int]] = [:]
        for head in 0..<heads {
            let carried = edges.indices.filter { number in
                guard let edge = edges[number].edge, deltas[number] != nil else { return false }
                return edge.receivers.contains(point) && edge.heads?.contains(head) ?? true
            }
            if !carried.isEmpty { readers[carried, default: []].append(head) }
        }
        return readers.compactMap { carried, heads in
            var sum: Tensor?
            for delta in carried.compactMap({ deltas[$0] }) { if sum == nil { sum = delta } else { sum?.add(delta) } }
            return sum.map { (heads, $0) }
        }
    }
}

extension Tensor {
    /// x − y, of one shape.
    func less(_ other: Tensor) -> Tensor {
        var out = self
        out.withUnsafeMutableBufferPointer { x in
            other.withUnsafeBufferPointer { y in for i in x.indices { x[i] -= y[i] } }
        }
        return out
    }
}
