import ArgumentParser
import Client
import Foundation
import Messages
import Results

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
              auscult trace talk.wav --transcript --hooks decoder.ln --out t.safetensors

            A HOOK is a name, glob or alias ('auscult hooks' lists them), or log_mel, the model's input. Tensors have \
            the hooks' names; a recording longer than the model's window is processed window by window, and its \
            tensors are called HOOK@window1, HOOK@window2, … The file's metadata has each tensor's axes, first frame, \
            frames per second and valid frames, as JSON under its name.

            For hooks in the decoder, the decoder reads the start tokens and the tokens that it decodes itself \
            (greedily), or --text, or --tokens, in one pass.

            With --objective, every hook point that comes before the objective has a second tensor, HOOK@grad: the \
            objective's gradient with respect to the activation there, interventions included (HOOK@grad1, HOOK@grad2, … \
            of several). An OBJECTIVE is encoder-sum, the sum of the encoder's outputs; transcript, the \
            log-probability of what the decoder reads after its prompt; 'text WORDS', that of a text, which it then reads; \
            'token T' or 'token T - T', a logit or a difference of two, behind the token before T or 'behind n'; \
            'HOOK:INDEX@frames a:b', a neuron (or HEAD.INDEX, or *) summed over frames; 'HOOK latent FOLDER i', a \
            dictionary's latent; or F.safetensors, a linear functional: tensors of hook points' names.

              auscult trace speech.wav --objective transcript --out g.safetensors \\
                  --hooks log_mel 'encoder.blocks.*.attn.pattern'
              auscult trace speech.wav --objective 'token rug - mug' --out g.safetensors \\
                  --hooks decoder.token_embedding

            That is not what 'auscult transcribe' writes: its windows begin where the text before went on, its decoder \
            reads that text first, and it pads the log-mel and not the sound. With --transcript the recording is \
            transcribed, as by 'auscult transcribe' with these --language and --task, and the tensors are those of the \
            very windows, prompts and tokens of that transcript; window_starts, tokens, prompt_tokens and padding in the \
            file's metadata tell them. All tensors are then called HOOK@window1 and so on.

            With --detach, the trace is a job of the daemon, whose id is printed ('auscult jobs').
            """ + "\n" + InterventionOptions.grammar)

    @Argument(
        help: "An audio file, '-' for standard input (a sound file, or 16 kHz mono s16le), or demo:NAME.",
        completion: .file())
    var file: String

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Hook points: names, globs, aliases, or log_mel.", valueName: "hook"))
    var hooks: [String]

    @Option(
        name: [.short, .long], help: ArgumentHelp("The file to write: F.safetensors or F.npz.", valueName: "file"),
        completion: .file(extensions: ["safetensors", "npz"]))
    var out: String

    @Option(help: "The frames to keep: those that overlap audio, or all, padding included.") var frames = V1.Frames
        .valid
    @Option(help: V1.EncoderContext.help) var context = V1.EncoderContext.full
    @Option(help: V1.Padding.help) var padding: V1.Padding?
    @Option(help: "Reduce the frames (or tokens) of each tensor to one row.") var reduce = V1.Reduction.none

    @OptionGroup var changes: InterventionOptions

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "What to differentiate with respect to the hooks, as 'transcript'; may be repeated.", valueName: "objective"
        ))
    var objective: [String] = []

    @OptionGroup var span: SpanOptions

    @Option(help: ArgumentHelp("Token ids for the decoder to read, separated by commas.", valueName: "ids"))
    var tokens: String?

    @Option(help: "Text for the decoder to read.") var text: String?
    @Flag(help: "Look inside the passes that write the recording's transcript.") var transcript = false
    @OptionGroup var speech: SpeechOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup var format: FormatOption
    @OptionGroup var reading: ReadingFlags
    @Flag(help: "Run it as a job of the daemon, and print the job's id.") var detach = false
    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        guard [tokens != nil, text != nil, transcript].count(where: { $0 }) <= 1 else {
            throw ValidationError("--tokens, --text and --transcript exclude each other.")
        }
        guard !transcript || context == .full else {
            throw ValidationError("--transcript traces whole windows, so it takes no --context \(context.name).")
        }
        _ = try decoderInput
    }

    private var decoderInput: V1.TraceRequest.DecoderInput? {
        get throws {
            if let text { return .text(text) }
            if transcript {
                return .transcript(V1.DecodingOptions(language: speech.language ?? "", task: speech.task))
            }
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
                request.audio = try input.storedSource(span.span, reading: reading.choices)
                let job = V1.StartJobRequest(label: "\(input.name) → \(out)", work: .trace(request))
                return try Console.current.print(try await daemon.call(V1.JobRPC.start, job).id)
            }
            request.audio = try await input.source(span.span, daemon, reading: reading.choices)
            try await trace(request, daemon)
        }
    }

    private func request(_ daemon: DaemonConnection) async throws -> V1.TraceRequest {
        V1.TraceRequest(
            model: model.reference, hooks: hooks, frames: frames, reduction: reduce,
            interventions: changes.messages,
            decoderInput: try decoderInput, language: speech.language ?? "", task: speech.task,
            output: .file(out), context: context,
            padding: padding ?? .paddingUnspecified, objectives: objective.map { V1.Objective(text: $0) })
    }

    private func trace(_ request: V1.TraceRequest, _ daemon: DaemonConnection) async throws {
        let line = verbosity.progress
        defer { line.clear() }
        try await daemon.events(V1.TraceRPC.run, request) { message in
            switch message.event {
            case .progress(let progress)?: line.show("tracing", progress) { "\($0)" }
            case .done(var summary)?:
                line.clear()
                for notice in summary.notices { verbosity.logger.warning("\(summary.file): \(notice.text)") }
                // As the user calls them.
                summary.outputFile = out
                summary.model = model.name(of: summary.model)
                try Console.current.print(summary.text(format.format))
            default: break
            }
        }
    }
}
