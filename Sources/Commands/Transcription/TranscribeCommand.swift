import ArgumentParser
import Daemon
import Files
import Logging
import Whisper

/// `auscult transcribe`: recordings to text.
struct TranscribeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transcribe",
        abstract: "Write down what is said in recordings.",
        usage: "auscult transcribe <file> ... [<options>]",
        discussion: """
              auscult transcribe demo:en-slt-01
              auscult transcribe talk.mp3 --format srt > talk.srt
              auscult transcribe *.wav --format json --word-timestamps
              arecord -f S16_LE -r 16000 -c 1 -d 5 | auscult transcribe -
              auscult transcribe talk.wav --intervene 'encoder.blocks.*.attn window 75'

            The text form has a line a segment, or, of several files, a line a file. JSON is an array with an object \
            for each file: file, language, text, duration, seed and segments, and in each segment id, start, end, \
            text, tokens, temperature, avg_logprob, compression_ratio, no_speech_prob and, with --word-timestamps, \
            words. Times are in seconds from the beginning of the file.

            A file that cannot be read is reported, the others are still written down, and the exit status is that \
            of the first failure.
            """)

    @Argument(
        help: ArgumentHelp(
            "Audio files, '-' for 16 kHz mono s16le on standard input, demo:NAME, or demo: for all clips.",
            valueName: "file"),
        completion: .file())
    var files: [String]

    @Option(name: [.short, .long], help: "The form of the result.") var format = TranscriptFormat.text

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Write a file for each recording into this folder.", valueName: "folder"),
        completion: .directory)
    var out: String?

    @Flag(help: "Show each segment's times in the text form.") var timestamps = false
    @Flag(help: "Find out when each word is said; srt and vtt then keep to the words.") var wordTimestamps = false
    @OptionGroup var speech: SpeechOptions
    @OptionGroup var span: SpanOptions
    @OptionGroup(title: "Decoding") var decoding: DecodingFlags
    @OptionGroup var model: ModelOptions
    @OptionGroup var verbosity: Verbosity

    func validate() throws {
        guard !(timestamps && decoding.noTimestamps) else {
            throw ValidationError("--timestamps shows what --no-timestamps leaves out.")
        }
    }

    func run() throws {
        let inputs = try AudioInput.all(from: files)
        let results = try TranscriptOutput(
            inputs, format: format, folder: out, timestamps: timestamps, console: Console.current)
        let logger = verbosity.logger
        let service = try TranscribeService(model: model.open(verbosity), request(), logger: logger)
        let line = verbosity.progress
        var failure: ExitStatus?
        for input in inputs {
            do {
                let transcript = try service.transcribe(
                    input,
                    observer: TranscriptionObserver(
                        segment: { segment in
                            line.clear()
                            try results.append(segment)
                        },
                        progress: { line.show(input.name, done: Int($0), total: Int($1), unit: { "\($0) s" }) },
                        isCancelled: { Task.isCancelled }))
                line.clear()
                try results.append(transcript)
                tellSeed(transcript, logger)
            } catch let error where concernsOneFile(error) {
                line.clear()
                Console.current.error(errorMessage(error, about: input.name) + "\n")
                failure = failure ?? ExitStatus(of: error)
            }
        }
        try results.finish()
        if let failure { throw Failure(status: failure) }
    }

    /// Whether an error concerns one recording, so that the next may go better.
    private func concernsOneFile(_ error: any Error) -> Bool {
        // What is wrong with the output is wrong for all files.
        !(error is ServiceError || error is FileError) && ExitStatus(of: error) != .interrupted
    }

    private func tellSeed(_ transcript: Transcript, _ logger: Logger) {
        guard transcript.transcription.segments.contains(where: { $0.temperature > 0 }) else { return }
        logger.notice("\(transcript.file): some tokens were drawn at random; the seed was \(transcript.seed)")
    }

    private func request() throws -> TranscriptionRequest {
        var request = TranscriptionRequest()
        request.interventions = decoding.intervene.map(InterventionSpec.text)
        request.seconds = try span.seconds
        request.options.wordTimestamps = wordTimestamps
        request.options.decoding.language = speech.language
        request.options.decoding.task = speech.task
        try decoding.apply(to: &request.options)
        return request
    }
}

extension TranscriptFormat: ExpressibleByArgument {}
