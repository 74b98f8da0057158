import ArgumentParser
import Foundation

/// `auscult-bench`: what this program costs, layer by layer, beside the machine's limits and its peers.
public struct BenchProgram: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "auscult-bench",
        abstract: "Measures Auscult layer by layer, beside the machine's limits and its peers in the same rounds.",
        discussion: """
            Run it by `make bench BENCH='encoder --quick'`, which builds what is measured and makes the environment of the \
            peers. Every row has the median and the quartiles of its rounds; a ratio is taken in each round, so that what \
            else the machine does falls on both sides.
            """,
        subcommands: [
            All.self, KernelsCommand.self, EncoderCommand.self, DecoderCommand.self, MelCommand.self, ScanCommand.self,
            DictionaryCommand.self,
            CostsCommand.self, RPCCommand.self, LiveCommand.self, WorkerCommand.self, ServeCommand.self,
        ],
        defaultSubcommand: All.self)

    public init() {}

    /// Runs the process's own command line.
    public static func start() async {
        await main()
    }
}

/// A layer of the program, as `all` knows it.
enum Layer: String, CaseIterable {
    case kernels, encoder, decoder, mel, scan, sae, rpc, live

    func run(_ session: Session) async throws {
        switch self {
        case .kernels: try KernelsBench(session: session).run()
        case .encoder: try EncoderBench(session).run()
        case .decoder: try DecoderBench(session).run()
        case .mel: try MelBench(session: session).run()
        case .scan: try ScanBench(session: session).run()
        case .sae: try DictionaryBench(session: session).run()
        case .rpc: try await RPCBench(session: session).run()
        case .live: try await LiveBench(session: session).run()
        }
    }
}

extension BenchProgram {
    struct All: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "all", abstract: "Every layer, or those that --only names.")
        @OptionGroup var options: BenchOptions

        func validate() throws {
            let stray = BenchOptions.parts(options.only ?? "").filter { Layer(rawValue: $0) == nil }
            if let name = stray.first {
                let known = Layer.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--only has '\(name)'; expected of \(known).")
            }
        }

        func run() async throws {
            try await Session.run(options) { session in
                let layers = Layer.allCases.filter { options.wants($0.rawValue) }
                session.ignoresOnly = true
                for layer in layers {
                    // One layer that cannot be measured does not lose the others.
                    do { try await layer.run(session) } catch {
                        session.report.say("\(layer.rawValue): left out: \(error)\n")
                    }
                }
            }
        }
    }

    struct EncoderCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "encoder", abstract: "The encoder: plain, with captures, short contexts, every size.")
        @OptionGroup var options: BenchOptions
        func run() async throws { try await Session.run(options) { try await Layer.encoder.run($0) } }
    }

    struct DecoderCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "decoder", abstract: "The decoder: a token, beams, prompts side by side, whole transcripts.")
        @OptionGroup var options: BenchOptions
        func run() async throws { try await Session.run(options) { try await Layer.decoder.run($0) } }
    }

    struct MelCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "mel", abstract: "The log-mel: 30 s beside the peers' extractors, 2 s to 30 min.")
        @OptionGroup var options: BenchOptions
        func run() async throws { try await Session.run(options) { try await Layer.mel.run($0) } }
    }

    struct KernelsCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "kernels", abstract: "Single kernels on one thread, in every form that runs here.")
        @OptionGroup var options: BenchOptions
        func run() async throws { try await Session.run(options) { try await Layer.kernels.run($0) } }
    }

    struct ScanCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "scan", abstract: "Every encoder neuron over a data set, beside PyTorch with hooks.")
        @OptionGroup var options: BenchOptions
        @Option(
            help: ArgumentHelp("Numbers of recordings to watch the plugin's memory at.", valueName: "n,…"))
        var memory: String?

        func run() async throws {
            try await Session.run(options) { try ScanBench(session: $0, memory: memory).run() }
        }
    }

    struct DictionaryCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sae", abstract: "A step of training a sparse autoencoder, beside PyTorch.")
        @OptionGroup var options: BenchOptions
        func run() async throws { try await Session.run(options) { try await Layer.sae.run($0) } }
    }

    struct CostsCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "costs",
            abstract: "What a model costs its users: seconds and memory of a pass, a transcript, a trace, a scan.")
        @OptionGroup var options: BenchOptions
        func run() async throws { try await Session.run(options) { try await CostsBench($0).run() } }
    }

    struct RPCCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rpc", abstract: "The wire, the daemon, the wall around plugins.")
        @OptionGroup var options: BenchOptions

        func validate() throws {
            if let name = BenchOptions.parts(options.only ?? "").first(where: { !RPCBench.parts.contains($0) }) {
                throw ValidationError(
                    "--only has '\(name)'; expected of \(RPCBench.parts.joined(separator: ", ")).")
            }
        }

        func run() async throws { try await Session.run(options) { try await Layer.rpc.run($0) } }
    }

    struct LiveCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "live", abstract: "Sound while it is being made: how late features and words are.")
        @OptionGroup var options: BenchOptions
        func run() async throws { try await Session.run(options) { try await Layer.live.run($0) } }
    }

    /// The wire with nothing behind it.
    struct ServeCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "serve", shouldDisplay: false)
        @Argument var socket: String
        func run() async throws { try await BenchServer.run(at: socket) }
    }

    /// What measurements run in processes of their own.
    struct WorkerCommand: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "worker", shouldDisplay: false)
        @Option var model: String?
        func run() throws { Worker(model: model).serve() }
    }
}
