import Foundation

// auscult-bench [--json FILE] [--quick] [--only wire,daemon,plugins]: what the wire, the daemon and the wall around plugins
// cost, beside what the machine can do. Run by `make bench`, which names the daemon in $AUSCULT_DAEMON, Go's program, where
// there is one, in $AUSCULT_GO, the folder of the models in $AUSCULT_MODELS and that of the bundles in $AUSCULT_PLUGINS.
let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.first == "serve", arguments.count == 2 {
    try await BenchServer.run(at: arguments[1])
} else {
    func value(_ flag: String) -> String? {
        arguments.firstIndex(of: flag).flatMap { arguments.indices.contains($0 + 1) ? arguments[$0 + 1] : nil }
    }
    let parts = (value("--only") ?? "wire,daemon,plugins").split(separator: ",").map(String.init)
    try await Bench(quick: arguments.contains("--quick"), json: value("--json"), parts: Set(parts)).run()
}
