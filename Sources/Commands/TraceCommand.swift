import ArgumentParser
import Daemon
import Foundation
import Whisper

/// `auscult trace`: activations into a file.
struct TraceCommand: ParsableCommand {
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

    @Option(help: "Keep the frames that overlap audio, or the padding as well.") var frames = TraceRequest.Frames.valid
    @Option(help: "Reduce the frames (or tokens) of each tensor to one row.") var reduce = Reduction.none

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
    @OptionGroup var verbosity: Verbosity

    func validate() throws {
        guard tokens == nil || text == nil else { throw ValidationError("--tokens and --text exclude each other.") }
        _ = try decoderInput
    }

    private var decoderInput: TraceRequest.DecoderInput {
        get throws {
            if let text { return .text(text) }
            guard let tokens else { return .greedy }
            return .tokens(
                try tokens.split(separator: ",", omittingEmptySubsequences: false).map { part in
                    guard let id = Int(part.trimmingCharacters(in: .whitespaces)), id >= 0 else {
                        throw ValidationError(
                            "--tokens takes ids separated by commas, as in 50258,50259; not '\(tokens)'.")
                    }
                    return id
                })
        }
    }

    func run() throws {
        let inputs = try AudioInput.all(from: [file])
        guard let input = inputs.first, inputs.count == 1 else {
            throw ValidationError("A trace takes one recording; '\(file)' is \(inputs.count).")
        }
        var request = TraceRequest(hooks: hooks)
        request.frames = frames
        request.reduction = reduce
        request.interventions = intervene.map(InterventionSpec.text)
        request.seconds = try span.seconds
        request.decoderInput = try decoderInput
        request.language = speech.language
        request.task = speech.task
        let line = verbosity.progress
        let service = TraceService(model: try model.open(verbosity), logger: verbosity.logger)
        let summary = try service.trace(input, request, to: out) { done, total in
            line.show("tracing", done: done, total: total, unit: { "\($0)" })
        }
        line.clear()
        try print(summary)
    }

    private func print(_ summary: TraceSummary) throws {
        switch format.format {
        case .json: try Console.current.print(summary.json(out: out).text)
        case .text:
            var table = TextTable("TENSOR", "SHAPE", "AXES")
            for tensor in summary.tensors {
                let shape = tensor.shape.map(String.init).joined(separator: " × ")
                table.append(tensor.name, shape, tensor.axes.joined(separator: " × "))
            }
            try Console.current.print(table.text + "\n\(summary.tensors.count) tensors in \(out)")
        }
    }
}

extension TraceRequest.Frames: ExpressibleByArgument {}
extension Reduction: ExpressibleByArgument {}
extension SpeechTask: ExpressibleByArgument {}

extension TraceSummary {
    fileprivate func json(out: String) -> JSON {
        [
            "file": .string(file), "out": .string(out), "model": .string(model), "model_sha256": .string(digest),
            "duration": .number(duration), "tokens": .array(tokens.map { JSON($0) }),
            "tensors": .array(tensors.map(\.json)),
        ]
    }
}

extension TracedTensor {
    fileprivate var json: JSON {
        [
            "name": .string(name), "hook": .string(hook), "window": .integer(window), "dtype": .string(dtype),
            "shape": JSON(shape), "axes": JSON(axes), "first_frame": firstFrame.map(JSON.integer) ?? .null,
            "first_token": firstToken.map(JSON.integer) ?? .null, "frames_per_second": JSON(framesPerSecond),
            "valid_frames": validFrames.map(JSON.integer) ?? .null,
        ]
    }
}
