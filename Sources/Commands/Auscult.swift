import ArgumentParser
import Client
import Files
import Results

/// The root of all commands.
struct Auscult: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "auscult",
        abstract: "A stethoscope for speech models: run a Whisper and look inside.",
        discussion: """
            To begin with; a model and recordings are built in:

              auscult transcribe demo:en-slt-01
              auscult transcribe speech.wav --word-timestamps --format json
              auscult hooks 'encoder.blocks.0.**'
              auscult trace demo:en-slt-01 --hooks 'encoder.blocks.*' --out t.npz

            A FILE is an audio file of any common format; '-' is standard input (a sound file, or 16 kHz mono s16le), \
            and 'demo:NAME' an embedded clip. --model takes a registered name, a Hugging Face folder, an openai .pt or a ggml .bin; by \
            default the embedded model is used.

            The work is done by the daemon auscultd, which keeps models in memory. The first command starts it, and it \
            exits after ten minutes without work.

            Results go to standard output, everything else to standard error. \
            Completions for a shell: auscult --generate-completion-script bash|zsh|fish.

            Exit status:
            \(ExitStatus.table)
            """,
        version: auscultVersion,
        subcommands: [
            TranscribeCommand.self, ListenCommand.self, DevicesCommand.self, HooksCommand.self, TraceCommand.self,
            ModelsCommand.self, PrecisionCommand.self, SamplesCommand.self, AlignCommand.self,
            JobsCommand.self, RunCommand.self, MergeCommand.self, PluginsCommand.self, AtlasCommand.self,
            ReproduceCommand.self, VerifyCommand.self,
            StatusCommand.self, StopCommand.self, CallCommand.self, BridgeCommand.self,
        ])
}
