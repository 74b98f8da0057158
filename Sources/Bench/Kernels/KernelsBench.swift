import Foundation
import Kernels
import Whisper

/// Single kernels on one thread, at the sizes that tiny's encoder and decoder have, in every form that runs here.
struct KernelsBench {
    let session: Session

    private struct Case {
        var name: String
        var kernel: String
        var sizes: [Int]
        /// Whether the right side are weights, which may be packed before.
        var hasWeights = false
        /// Two operations to a multiply-add.
        var operations: Double { sizes.reduce(2) { $0 * Double($1) } }
    }

    private var products: [Case] {
        [
            Case(
                name: "query, key, value, out: 1500 × 384 × 384", kernel: "product", sizes: [1500, 384, 384],
                hasWeights: true),
            Case(name: "mlp.0: 1500 × 1536 × 384", kernel: "product", sizes: [1500, 1536, 384], hasWeights: true),
            Case(name: "mlp.2: 1500 × 384 × 1536", kernel: "product", sizes: [1500, 384, 1536], hasWeights: true),
            Case(name: "scores of a head: 1500 × 1500 × 64", kernel: "product", sizes: [1500, 1500, 64]),
            Case(name: "weighted values of a head: 1500 × 64 × 1500", kernel: "product_rows", sizes: [1500, 64, 1500]),
        ]
    }

    private var vectors: [Case] {
        [
            Case(name: "1 × 384 × 384", kernel: "product", sizes: [1, 384, 384], hasWeights: true),
            Case(name: "1 × 1536 × 384", kernel: "product", sizes: [1, 1536, 384], hasWeights: true),
            Case(name: "logits: 1 × 51865 × 384", kernel: "product", sizes: [1, 51865, 384], hasWeights: true),
        ]
    }

    private var rows: [Case] {
        [
            Case(name: "GELU: 1500 × 1536", kernel: "gelu", sizes: [1500, 1536]),
            Case(name: "softmax: 1500 rows of 1500", kernel: "softmax", sizes: [1500, 1500]),
            Case(name: "layer norm: 1500 rows of 384", kernel: "layer_norm", sizes: [1500, 384]),
        ]
    }

    func run() throws {
        let cast = Cast(session, nil)
        defer { cast.close() }
        let contenders = forms(cast)
        let torch = cast.peer("openai-whisper")
        try product(contenders, torch)
        try table(
            "kernels: a matrix and a vector, 1 thread", vectors, contenders, torch,
            Quantity("µs") { seconds, _ in seconds * 1e6 }, limit: { .bytes($0.sizes.reduce(4) { $0 * Double($1) }) },
            remarks: [
                "The limit is reading the matrix in float32 from memory; the small ones lie in caches, and packed ones in 16 bits, "
                    + "so they may pass it."
            ])
        try table(
            "kernels: element by element, 1 thread", rows, contenders, torch,
            Quantity("ns/element") { seconds, _ in seconds * 1e9 }, limit: { _ in nil },
            pieces: { $0.sizes.reduce(1) { $0 * Double($1) } })
    }

    private func product(_ contenders: [Contender], _ torch: Contender?) throws {
        try table(
            "kernels: matrix products, 1 thread", products, contenders, torch, .rate,
            limit: { .operations($0.operations) },
            remarks: [
                "Operations a second, two to a multiply-add; the column × limit is the share of the machine's peak."
            ])
    }

    /// Every form of the kernels that this processor runs: a worker says which it took.
    private func forms(_ cast: Cast) -> [Contender] {
        guard session.wants("auscult") else { return [] }
        let names =
            session.options.kernelNames.isEmpty
            ? KernelImplementation.allCases.map(\.rawValue) : session.options.kernelNames
        return names.compactMap { name in
            let contender = cast.own(threads: 1, kernels: name)
            var work = Work(.kernel)
            (work.kernel, work.sizes) = ("layer_norm", [2, 8])
            do {
                let reply = try contender.run(work)
                guard reply.kernels == name else {
                    session.report.say("auscult, \(name): left out, here it is \(reply.kernels ?? "another one")\n")
                    return nil
                }
                return contender
            } catch {
                session.report.say("auscult, \(name): left out: \(error)\n")
                return nil
            }
        }
    }

    private func table(
        _ title: String, _ cases: [Case], _ contenders: [Contender], _ torch: Contender?, _ quantity: Quantity,
        limit: (Case) -> MachinePeak.Limit?, pieces: (Case) -> Double = { _ in 1 }, remarks: [String] = []
    ) throws {
        var entries: [Rounds.Entry] = []
        for each in cases {
            var work = Work(.kernel)
            (work.kernel, work.sizes) = (each.kernel, each.sizes)
            let reference = "\(each.name), PyTorch"
            var all: [(String, Contender, Work)] = []
            for contender in contenders {
                let form = contender.name.replacingOccurrences(of: "auscult, ", with: "")
                all.append(("\(each.name), \(form)", contender, work))
                guard each.hasWeights, form != KernelImplementation.reference.rawValue else { continue }
                var packed = work
                packed.kernel = "packed"
                all.append(("\(each.name), \(form), packed", contender, packed))
            }
            if let torch { all.append((reference, torch, work)) }
            for (name, contender, work) in all {
                var entry = Rounds.Entry(
                    name, contender, work, reference: reference, limit: limit(each), pieces: pieces(each))
                entry.referenceLabel = "PyTorch"
                entries.append(entry)
            }
        }
        guard !entries.isEmpty else { return }
        let peak = session.peak(threads: 1)
        let outcomes = session.rounds(peak, threads: 1).run(entries)
        session.report.add(
            Table(title, remarks: remarks, rows: peak.rows + outcomes.measurements(quantity, peak: peak)))
    }
}
