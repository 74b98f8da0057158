import Foundation

// auscult-bench [--json FILE] [--quick]: what the wire and the daemon cost, beside what the machine can do.
// Run by `make bench`, which names the daemon in $AUSCULT_DAEMON and Go's program, where there is one, in $AUSCULT_GO.
let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.first == "serve", arguments.count == 2 {
    try await BenchServer.run(at: arguments[1])
} else {
    try await Bench(
        quick: arguments.contains("--quick"),
        json: arguments.firstIndex(of: "--json").flatMap {
            arguments.indices.contains($0 + 1) ? arguments[$0 + 1] : nil
        }
    ).run()
}
