import ArgumentParser
import Client
import Files
import Foundation
import Messages
import Receipts
import Results

/// `auscult verify`: whether results come out again to the bit.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Make results again, and see whether they are what their receipt says, to the bit.",
        usage: "auscult verify <receipt|folder> ... [<options>]",
        discussion: """
              auscult run attention-stats demo: --out results
              auscult verify results
              auscult verify report/*/*/receipt.json
              auscult transcribe talk.wav --receipt talk.receipt.json
              auscult verify talk.receipt.json

            'auscult run --out' and 'auscult reproduce' write a receipt.json beside results.json: the SHA-256 of the model, of each \
            recording, of the plugin and of the files that it read, with its arguments, interventions and seed, and that of each result. \
            'auscult transcribe --receipt' and the transcripts of 'auscult reproduce' have one with the model, the recordings, what was asked \
            for and each transcript. The same work is done again, and all of them are compared. What differs is told, and the exit status is \
            then 65.

            Kernels of another processor round otherwise: where 'kernels' differ, results may, and AUSCULT_KERNELS chooses them. \
            Nothing is written: what the plugin would write goes to a folder that is taken away again.
            """)

    @Argument(help: "Receipts, or folders with one.", completion: .file()) var receipts: [String]
    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func run() async throws {
        try await connection.use(verbosity.logger) { daemon in
            var differing = 0
            for path in receipts {
                let (count, differences) = try await verified(path, daemon)
                guard !differences.isEmpty else {
                    try Console.current.print("\(path): \(count), the same to the bit")
                    continue
                }
                differing += 1
                try Console.current.print("\(path): not as the receipt says")
                for difference in differences { try Console.current.print("  \(difference)") }
            }
            guard differing == 0 else {
                throw CommandError(.badData, "\(differing) of \(receipts.count) receipts are not what comes out now")
            }
        }
    }

    /// What a receipt is about, and what differs in it.
    private func verified(
        _ path: String, _ daemon: DaemonConnection
    ) async throws -> (count: String, differences: [String]) {
        let file = try ReceiptFile(at: path)
        switch file.format {
        case TranscriptsReceipt.format:
            let receipt = try await TranscriptsReceipt(file, daemon)
            let line = verbosity.progress
            defer { line.clear() }
            let again = try await receipt.repeated(daemon) { done in
                line.show(path, done: done, total: receipt.entries.count) { "\($0) transcripts" }
            }
            return ("\(receipt.entries.count) transcripts", receipt.differences(from: again))
        default:
            let receipt = try RunReceipt(file)
            let again = try await repeated(receipt, path, daemon)
            return ("\(receipt.results.count) results", receipt.differences(from: again))
        }
    }

    /// The same run once more.
    private func repeated(
        _ receipt: RunReceipt, _ path: String, _ daemon: DaemonConnection
    ) async throws -> RunReceipt {
        var request = receipt.request
        let plugin = try await daemon.call(
            V1.PluginRPC.describe, V1.DescribePluginRequest(id: request.pluginId, folders: request.pluginFolders))
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(
            "auscult-verify-\(UUID().uuidString)"
        )
        .path
        try DataFolder.create(scratch)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let written = Set(plugin.writtenArguments)
        for index in request.arguments.indices
        where written.contains(request.arguments[index].id) && !request.arguments[index].value.isEmpty {
            request.arguments[index].value = "\(scratch)/\(request.arguments[index].id)"
        }
        var collector = RunCollector(verbosity.logger, verbosity.progress, label: path)
        defer { collector.finish() }
        try await daemon.events(V1.PluginRPC.run, request) { try collector.take($0) }
        guard collector.run.end != nil else {
            throw CommandError(.unavailable, "the run of \(request.pluginId) did not come to its end")
        }
        return try RunReceipt(of: request, collector, kernels: try await ComputingProgram(daemon).kernels)
    }
}
