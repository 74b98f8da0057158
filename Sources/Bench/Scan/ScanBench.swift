import Foundation

/// A scan of a data set for what neurons listen to, beside PyTorch with hooks: Tests/speed/scan.py does it and measures it,
/// since it is the command line that scans.
struct ScanBench {
    let session: Session
    /// Numbers of recordings to watch the plugin's memory at.
    var memory: String?

    /// What scan.py writes with `--json`.
    private struct Result: Decodable {
        var title: String
        var remarks: [String]
        var unit: String
        /// In the order of the rows; `rates` of the rounds.
        var rows: [Row]

        struct Row: Decodable {
            var name: String
            var unit: String?
            var note: String?
            var samples: [Double]
            var reference: String?
        }
    }

    func run() throws {
        guard let python = session.options.peers else {
            return session.report.say(
                "scan: left out, it is driven by a Python with Tests/speed/requirements.txt (--peers)\n")
        }
        let file = session.folder + "/scan.json"
        let program = ProcessInfo.processInfo.environment["AUSCULT_PROGRAM"] ?? ".build/release/auscult"
        var arguments = ["Tests/speed/scan.py", "--auscult", program, "--json", file]
        arguments += ["--clips", session.options.quick ? "6" : "40"]
        arguments += ["--rounds", "\(session.options.rounds ?? (session.options.quick ? 2 : 5))"]
        if let data = session.options.data { arguments += ["--data", data] }
        if let memory { arguments += ["--memory", memory] }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = arguments
        // What it prints is in its file as well.
        process.standardOutput = FileHandle.nullDevice
        do { try process.run() } catch {
            throw BenchError("cannot start \(python): \(error.localizedDescription)")
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchError(
                "\(python) \(arguments.joined(separator: " ")) failed (status \(process.terminationStatus))")
        }
        try tables(file).forEach { session.report.add($0) }
    }

    private func tables(_ file: String) throws -> [Table] {
        let results: [Result]
        do {
            results = try JSONDecoder().decode([Result].self, from: Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw BenchError("scan.py wrote no results: \(error)")
        }
        return results.map { result in
            let plain = result.rows.map {
                Measurement(name: $0.name, unit: $0.unit ?? result.unit, note: $0.note ?? "", samples: $0.samples)
            }
            let rows = zip(result.rows, plain).map { row, measurement in
                plain.first { $0.name == row.reference && $0.name != row.name }
                    .map { measurement.compared(to: $0) } ?? measurement
            }
            return Table(result.title, remarks: result.remarks, rows: rows)
        }
    }
}
