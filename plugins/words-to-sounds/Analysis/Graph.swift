import PluginKit

/// What a word rests on, from the decoder's heads back to the sound.
struct Graph {
    enum Kind: String, CaseIterable, Codable {
        case word
        case crossHead = "cross-attention head"
        case feature = "encoder feature"
        case encoderHead = "encoder head"
        case cell = "mel cell"
    }

    struct Node {
        let kind: Kind
        let name: String
        /// Gradient · activation with respect to the word's log-probability.
        let attribution: Double
        /// How much log-probability the word loses when the node is taken away.
        var effect = 0.0
    }

    /// `from` gives to `to`.
    struct Edge {
        let from, to: Int
        let attribution: Double
        var effect = 0.0
    }

    var nodes: [Node] = []
    var edges: [Edge] = []

    func nodes(of kind: Kind) -> [Int] { nodes.indices.filter { nodes[$0].kind == kind } }

    // MARK: - Tables

    static let nodeColumns = ["node", "kind", "attribution", "effect"]
    var nodeRows: [[Cell]] {
        nodes.map { [.text($0.name), .text($0.kind.rawValue), .number($0.attribution), .number($0.effect)] }
    }

    static let edgeColumns = ["to", "from", "kind", "attribution", "effect", "share of attribution"]
    var edgeRows: [[Cell]] {
        var totals: [Int: Double] = [:]
        for edge in edges { totals[edge.to, default: 0] += abs(edge.attribution) }
        return edges.sorted {
            ($0.to, -abs($0.effect), $0.from) < ($1.to, -abs($1.effect), $1.from)
        }.map { edge in
            let total = totals[edge.to] ?? 0
            return [
                .text(nodes[edge.to].name), .text(nodes[edge.from].name), .text(kind(edge)), .number(edge.attribution),
                .number(edge.effect), .number(total > 0 ? edge.attribution / total : 0),
            ]
        }
    }

    func kind(_ edge: Edge) -> String { "\(nodes[edge.to].kind.rawValue) ← \(nodes[edge.from].kind.rawValue)" }
}

/// How well attributions of edges agree with what taking the edge's beginning away does: sums, which add up over words.
struct Agreement: Codable, Equatable {
    struct Sums: Codable, Equatable {
        var count = 0, sameSign = 0
        var a = 0.0, e = 0.0, aa = 0.0, ee = 0.0, ae = 0.0
    }

    /// By kind of edge.
    private(set) var sums: [String: Sums] = [:]

    /// The attributions and effects of one kind that point at one node are of its units: each is divided by the largest among them.
    mutating func add(_ graph: Graph) {
        for to in graph.nodes.indices {
            let edges = graph.edges.filter { $0.to == to }
            let scale = edges.reduce(0) { max($0, abs($1.attribution), abs($1.effect)) }
            guard scale > 0 else { continue }
            for edge in edges {
                let (a, e) = (edge.attribution / scale, edge.effect / scale)
                var sum = sums[graph.kind(edge)] ?? Sums()
                sum.count += 1
                if a * e > 0 || (a == 0 && e == 0) { sum.sameSign += 1 }
                (sum.a, sum.e) = (sum.a + a, sum.e + e)
                (sum.aa, sum.ee, sum.ae) = (sum.aa + a * a, sum.ee + e * e, sum.ae + a * e)
                sums[graph.kind(edge)] = sum
            }
        }
    }

    mutating func add(_ other: Agreement) {
        for (kind, more) in other.sums.sorted(by: { $0.key < $1.key }) {
            var sum = sums[kind] ?? Sums()
            (sum.count, sum.sameSign) = (sum.count + more.count, sum.sameSign + more.sameSign)
            (sum.a, sum.e) = (sum.a + more.a, sum.e + more.e)
            (sum.aa, sum.ee, sum.ae) = (sum.aa + more.aa, sum.ee + more.ee, sum.ae + more.ae)
            sums[kind] = sum
        }
    }

    static let columns = ["edges", "number", "correlation", "same sign"]
    var rows: [[Cell]] {
        sums.sorted { $0.key < $1.key }.map { kind, sum in
            let n = Double(sum.count)
            let spread = ((sum.aa - sum.a * sum.a / n) * (sum.ee - sum.e * sum.e / n)).squareRoot()
            let correlation = spread > 1e-12 ? (sum.ae - sum.a * sum.e / n) / spread : .nan
            return [.text(kind), .number(n), .number(correlation), .number(Double(sum.sameSign) / n)]
        }
    }

    var isSound: Bool {
        sums.values.allSatisfy {
            $0.count >= 0 && $0.sameSign >= 0 && $0.sameSign <= $0.count
                && [$0.a, $0.e, $0.aa, $0.ee, $0.ae].allSatisfy(\.isFinite)
        }
    }
}
