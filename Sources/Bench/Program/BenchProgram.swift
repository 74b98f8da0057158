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
            All.self, LayerCommand<Layer.Kernels>.self, LayerCommand<Layer.Encoder>.self,
            LayerCommand<Layer.Gradient>.self, LayerCommand<Layer.Decoder>.self, LayerCommand<Layer.Mel>.self,
            ScanCommand.self,
            LayerCommand<Layer.Dictionary>.self, CostsCommand.self, RPCCommand.self, LayerCommand<Layer.Live>.self,
            WorkerCommand.self,
            ServeCommand.self,
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
    case kernels, encoder, gradient, decoder, mel, scan, sae, rpc, live

    func run(_ session: Session) async throws {
        switch self {
        case .kernels: try KernelsBench(session: session).run()
        case .encoder: try EncoderBench(session).run()
        case .gradient: try GradientBench(session).run()
        case .decoder: try DecoderBench(session).run()
        case .mel: try MelBench(session: session).run()
        case .scan: try ScanBench(session: session).run()
        case .sae: try DictionaryBench(session: session).run()
        case .rpc: try await RPCBench(session: session).run()
        case .live: try await LiveBench(session: session).run()
        }
    }
}

extension Layer {
    /// What its command's help says.
    var abstract: String {
        switch self {
        case .kernels: "Single kernels on one thread, in every form that runs here."
        case .encoder: "The encoder: plain, with captures, short contexts, every size."
        case .gradient: "Gradients of the encoder at all attention patterns, beside PyTorch's autograd."
        case .decoder: "The decoder: a token, beams, prompts side by side, whole transcripts."
        case .mel: "The log-mel: 30 s beside the peers' extractors, 2 s to 30 min."
        case .scan: "Every encoder neuron over a data set, beside PyTorch with hooks."
        case .sae: "A step of training a sparse autoencoder, beside PyTorch."
        case .rpc: "The wire, the daemon, the wall around plugins."
        case .live: "Sound while it is being made: how late features and words are."
        }
    }

    // Layers as types, for the commands that need no more than to know theirs.
    enum Kernels: LayerType { static let layer = Layer.kernels }
    enum Encoder: LayerType { static let layer = Layer.encoder }
    enum Gradient: LayerType { static let layer = Layer.gradient }
    enum Decoder: LayerType { static let layer = Layer.decoder }
    enum Mel: LayerType { static let layer = Layer.mel }
    enum Dictionary: LayerType { static let layer = Layer.sae }
    enum Live: LayerType { static let layer = Layer.live }
}

protocol LayerType {
    static var layer: Layer { get }
}

/// The command of a layer without flags of its own.
struct LayerCommand<Measured: LayerType>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: Measured.layer.rawValue, abstract: Measured.layer.abstract)
    }

    @OptionGroup var options: BenchOptions

    func run() async throws {
        let layer = Measured.layer
        try await Session.run(options) { try await layer.run($0) }
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

    struct ScanCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: Layer.scan.rawValue, abstract: Layer.scan.abstract)
        @OptionGroup var options: BenchOptions
        @Option(
            help: ArgumentHelp("Numbers of recordings to watch the plugin's memory at.", valueName: "n,…"))
        var memory: String?

        func run() async throws {
            try await Session.run(options) { try ScanBench(session: $0, memory: memory).run() }
        }
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
            commandName: Layer.rpc.rawValue, abstract: Layer.rpc.abstract)
        @OptionGroup var options: BenchOptions

        func validate() throws {
            if let name = BenchOptions.parts(options.only ?? "").first(where: { !RPCBench.parts.contains($0) }) {
                throw ValidationError(
                    "--only has '\(name)'; expected of \(RPCBench.parts.joined(separator: ", ")).")
            }
        }

        func run() async throws { try await Session.run(options) { try await Layer.rpc.run($0) } }
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
