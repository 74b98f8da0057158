import ArgumentParser
import Foundation
import Messages

/// `auscult trace`: activations into a file.
struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Write a model's activations on a recording into a tensor file.",
        usage: "auscult trace <file> --hooks <hook> ... --out <F.safetensors|F.npz> [<options>]",
        discussion: """
              auscult trace speech.wav --hooks 'encoder.blocks.*' --out t.safetensors
              auscult trace demo:en-slt-01 --hooks decoder.logits --out t.npz
              auscult trace speech.wav --hooks log_mel 'encoder.**.mlp.1' \\
                  --reduce max --out t.safetensors
              auscult trace speech.wav --hooks encoder.ln_post --out t.npz \\
                  --intervene 'encoder.blocks.2.mlp.1 @frames 50:100 = zero'

            A HOOK is a name, glob or alias ('auscult hooks' lists them), or log_mel, the model's input. Tensors have \
            the hooks' names; a recording longer than the model's window is taken window by window, and its tensors \
            are called HOOK@window1, HOOK@window2, … Each has its axes, first frame, frames per second and valid \
            frames in the file's metadata, as JSON under its name.

            Where a hook in the decoder is asked for, the decoder reads the start tokens and what it writes itself \
            (greedily), or --text, or --tokens, in one pass.

            With --detach the daemon does it by itself; the id of its job is printed ('auscult jobs').
            """)

    @Argument(
        help: "An audio file, '-' for 16 kHz mono s16le on standard input, or demo:NAME.", completion: .file())
    var file: String

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Hook points: names, globs, aliases, or log_mel.", valueName: "hook"))
    var hooks: [String]

    @Option(
        name: [.short, .long], help: ArgumentHelp("The file to write: F.safetensors or F.npz.", valueName: "file"),
        completion: .file(extensions: ["safetensors", "npz"]))
    var out: String

    @Option(help: "Keep the frames that overlap audio, or the padding as well.") var frames = TraceFrames.valid
    @Option(help: EncoderContextOption.help) var context = EncoderContextOption.full
    @Option(help: "Reduce the frames (or tokens) of each tensor to one row.") var reduce = TraceReduction.none

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Change activations on the way; may be repeated.", valueName: "spec"))
    var intervene: [String] = []

    @OptionGroup var span: SpanOptions

    @Option(help: ArgumentHelp("Token ids for the decoder to read, separated by commas.", valueName: "ids"))
    var tokens: String?

    @Option(help: "Text for the decoder to read.") var text: String?
    @OptionGroup var speech: SpeechOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var format: FormatOption
    @Flag(help: "Let the daemon do it as a job, and print the job's id.") var detach = false
    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        guard tokens == nil || text == nil else { throw ValidationError("--tokens and --text exclude each other.") }
        _ = try decoderInput
    }

    private var decoderInput: V1.TraceRequest.DecoderInput? {
        get throws {
            if let text { return .text(text) }
            guard let tokens else { return nil }
            let ids = try tokens.split(separator: ",", omittingEmptySubsequences: false).map { part in
                guard let id = Int32(part.trimmingCharacters(in: .whitespaces)), id >= 0 else {
                    throw ValidationError(
                        "--tokens takes ids separated by commas, as in 50258,50259; not '\(tokens)'.")
                }
                return id
            }
            return .tokens(V1.TokenSequence(ids: ids))
        }
    }

    func run() async throws {
        try await connection.use(verbosity.logger) { daemon in
            let inputs = try await RecordingArgument.all(from: [file], daemon)
            guard let input = inputs.first, inputs.count == 1 else {
                throw ValidationError("A trace takes one recording; '\(file)' is \(inputs.count).")
            }
            var request = try await request(daemon)
            if detach {
                request.audio = try input.storedSource(span.span)
                let job = V1.StartJobRequest(label: "\(input.name) → \(out)", work: .trace(request))
                return try Console.current.print(try await daemon.call(V1.JobRPC.start, job).id)
            }
            request.audio = try await input.source(span.span, daemon)
            try await trace(request, daemon)
        }
    }

    private func request(_ daemon: DaemonConnection) async throws -> V1.TraceRequest {
        V1.TraceRequest(
            model: model.reference, hooks: hooks, frames: frames.message, reduction: reduce.message,
            interventions: intervene.map { V1.Intervention(text: $0) },
            decoderInput: try decoderInput, language: speech.language ?? "", task: speech.task.message,
            output: .file(out), context: context.message)
    }

    private func trace(_ request: V1.TraceRequest, _ daemon: DaemonConnection) async throws {
        let line = verbosity.progress
        defer { line.clear() }
        try await daemon.events(V1.TraceRPC.run, request) { message in
            switch message.event {
            case .progress(let progress)?: line.show("tracing", progress) { "\($0)" }
            case .done(var summary)?:
                line.clear()
                // As the user calls them.
                summary.outputFile = out
                summary.model = model.name(of: summary.model)
                try Console.current.print(summary.text(format.format))
            default: break
            }
        }
    }
}

/// How much of a window the encoder hears.
enum EncoderContextOption: String, ExpressibleByArgument, CaseIterable {
    case full, auto

    static let help: ArgumentHelp = """
        What the encoder hears: the model's whole window, as it was trained, or no more than the recording, which is \
        faster and not quite the same.
        """

    var message: V1.EncoderContext { self == .full ? .full : .auto }
}

/// Which frames of each window are kept.
enum TraceFrames: String, ExpressibleByArgument, CaseIterable {
    case valid, all

    var message: V1.Frames { self == .valid ? .valid : .all }
}

/// How the positions of a tensor are reduced.
enum TraceReduction: String, ExpressibleByArgument, CaseIterable {
    case none, max, mean

    var message: V1.Reduction {
        switch self {
        case .none: .none
        case .max: .max
        case .mean: .mean
        }
    }
}
