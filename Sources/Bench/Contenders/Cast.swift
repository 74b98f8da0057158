import Foundation

/// Who takes part: this program with each number of threads, other forms of it, and the peers that are there.
final class Cast {
    private let session: Session
    private let model: BenchModel?
    private var known: [String: Contender] = [:]

    /// - Parameter model: what all of them load; nil for work that needs none.
    init(_ session: Session, _ model: BenchModel?) {
        self.session = session
        self.model = model
        session.sayPeers()
    }

    deinit { close() }

    func close() { known.values.forEach { $0.close() } }

    /// This program; then its other kernels and the older program, where they are asked for.
    func ours(threads: Int) -> [Contender] {
        guard session.wants("auscult") else { return [] }
        let own = Session.program
        var contenders = [worker("auscult", own, threads)]
        contenders += session.options.kernelNames.map { kernels in
            worker("auscult, \(kernels)", own, threads, ["AUSCULT_KERNELS": kernels])
        }
        if let baseline = session.options.baseline { contenders.append(worker("baseline", baseline, threads)) }
        return contenders
    }

    /// This program alone.
    func own(threads: Int, kernels: String? = nil) -> Contender {
        worker(
            kernels.map { "auscult, \($0)" } ?? "auscult", Session.program, threads,
            kernels.map { ["AUSCULT_KERNELS": $0] } ?? [:])
    }

    private func worker(
        _ name: String, _ program: String, _ threads: Int, _ environment: [String: String] = [:]
    ) -> Contender {
        contender(name, key: "\(name) \(threads)", threads: threads, isOurs: true) { [session, model] in
            try LineProcess(
                name, program: program, arguments: ["worker"] + (model.map { ["--model", $0.path] } ?? []),
                environment: environment.merging(["AUSCULT_THREADS": "\(threads)"]) { $1 }, folder: session.folder)
        }
    }

    /// A peer of Tests/speed/peers.py; nil where there are no peers, or this one is not wanted.
    func peer(_ name: String) -> Contender? {
        guard let python = session.options.peers, session.wants(name) else { return nil }
        if name == "whisper.cpp", (ProcessInfo.processInfo.environment["WHISPER_CPP"] ?? "").isEmpty { return nil }
        return contender(name, key: name, threads: nil, isOurs: false) { [session, model] in
            try LineProcess(
                name, program: python,
                arguments: ["Tests/speed/peers.py", name, "--work", session.folder]
                    + (model.map { ["--model", $0.path] } ?? []),
                folder: session.folder)
        }
    }

    private func contender(
        _ name: String, key: String, threads: Int?, isOurs: Bool, _ start: @escaping () throws -> LineProcess
    ) -> Contender {
        if let contender = known[key] { return contender }
        let contender = Contender(name, threads: threads, isOurs: isOurs, start: start)
        known[key] = contender
        return contender
    }
}
