import ArgumentParser
import Client
import Files
import Logging
import Messages
import Receipts
import Results
import Wire

/// `auscult transcribe`: recordings to text.
struct TranscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transcribe",
        abstract: "Transcribe recordings.",
        usage: "auscult transcribe <file> ... [<options>]",
        discussion: """
              auscult transcribe demo:en-slt-01
              auscult transcribe talk.mp3 --format srt > talk.srt
              auscult transcribe *.wav --format json --word-timestamps
              arecord -f S16_LE -r 16000 -c 1 -d 5 | auscult transcribe -
              auscult transcribe talk.wav --intervene 'encoder.blocks.*.attn window 75'

            The text format has one line per segment, or, for several files, one line per file. JSON is an array with \
            an object for each file: file, language, text, duration, seed, notices and segments, and in each segment id, start, \
            end, text, tokens, temperature, avg_logprob, compression_ratio, no_speech_prob and, with \
            --word-timestamps, words. Times are in seconds from the beginning of the file.

            A file that cannot be read is reported, the others are still transcribed, and the exit status is that of \
            the first failure. A recording that is cut short, damaged in part or on another scale is used as far as it \
            goes, with a notice; --strict refuses it. m4a, mp4, webm and the like are decoded through ffmpeg, where the \
            daemon finds one. With --detach, each file is a job of the daemon, whose id is printed: 'auscult jobs' \
            shows their states and results.
            """ + "\n" + InterventionOptions.grammar)

    @Argument(
        help: ArgumentHelp(
            """
            Audio files, folders of them, manifests, '-' for standard input (a sound file, or 16 kHz mono s16le), \
            demo:NAME, or demo: for all clips.
            """,
            valueName: "file"),
        completion: .file())
    var files: [String]

    @Option(name: [.short, .long], help: "The output format.") var format = TranscriptFormat.text

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Write a file for each recording into this folder.", valueName: "folder"),
        completion: .directory)
    var out: String?

    @Option(
        help: ArgumentHelp(
            "Write what the transcripts were made of into this file, for 'auscult verify'.", valueName: "file"),
        completion: .file())
    var receipt: String?

    @Flag(help: "Show each segment's times in the text form.") var timestamps = false
    @Flag(help: "Add the times of each word; srt and vtt then follow the words.") var wordTimestamps = false
    @OptionGroup var speech: SpeechOptions
    @OptionGroup var span: SpanOptions
    @OptionGroup var reading: ReadingFlags
    @OptionGroup(title: "Decoding") var decoding: DecodingFlags
    @Option(help: V1.Padding.help) var padding: V1.Padding?
    @OptionGroup var model: ModelOptions
    @Flag(help: "Run a job of the daemon for each recording, and print the jobs' ids.") var detach = false
    @OptionGroup var verbosity: Verbosity
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        guard !(timestamps && decoding.noTimestamps) else {
            throw ValidationError("--timestamps shows what --no-timestamps leaves out.")
        }
        guard !detach || receipt == nil else {
            throw ValidationError("--receipt is of transcripts that are there; --detach does not wait for them.")
        }
        guard !detach || (out == nil && !timestamps && format == .text) else {
            throw ValidationError("--detach prints nothing but ids; 'auscult jobs result' takes --format.")
        }
    }

    func run() async throws {
        try await connection.use(verbosity.logger) { daemon in
            let list = try await RecordingList(files, daemon)
            for notice in list.notices { verbosity.logger.warning("\(notice)") }
            var failure: ExitStatus?
            for (name, error) in list.failures {
                Console.current.error(errorMessage(error, about: name) + "\n")
                failure = failure ?? ExitStatus(of: error)
            }
            if detach {
                try await start(list.recordings, daemon)
            } else {
                failure =
                    try await transcribe(list.recordings, isOne: files.count == 1 && !list.hasDataSets, daemon)
                    ?? failure
            }
            if let failure { throw Failure(status: failure) }
        }
    }

    /// - Parameter isOne: whether one recording was named, so that its name need not be said.
    /// - Returns: how the first that failed did.
    private func transcribe(
        _ inputs: [RecordingArgument], isOne: Bool, _ daemon: DaemonConnection
    ) async throws -> ExitStatus? {
        let results = try TranscriptOutput(
            inputs, isSingle: isOne && inputs.count == 1, format: format, folder: out, timestamps: timestamps,
            console: Console.current)
        var request = try await request(daemon)
        if inputs.count > 1 {
            // What is wrong with the model is wrong for all files, and is to be said once.
            let hooks = V1.HooksRequest(model: request.model, pattern: "encoder.ln_post", tokens: 1)
            _ = try await daemon.call(V1.ModelRPC.hooks, hooks)
        }
        if receipt != nil, let passing = inputs.first(where: \.isReadOnce) {
            throw CommandError(
                .usage, "\(passing.name) can be read only once, so nobody could verify a receipt of it; name a file")
        }
        let program = receipt == nil ? nil : try await ComputingProgram(daemon)
        var entries: [TranscriptsReceipt.Entry] = []
        var failure: ExitStatus?
        var told: Set<String> = []
        // Of many recordings the first speaks for all.
        var notice: String?
        defer { if let notice { verbosity.logger.notice("\(notice)") } }
        for input in inputs {
            do {
                request.audio = try await input.source(span.span, daemon, reading: reading.choices)
                let transcript = try await transcribe(input, request, results, daemon)
                if let program, let transcript {
                    entries.append(try TranscriptsReceipt.Entry(request, transcript, program))
                }
                notice = notice ?? transcript.flatMap { EmbeddedModelNotice.sentence(about: $0, model: model.model) }
            } catch let error as WireError where concernsOneFile(error) {
                // The same sentence for a second file is not about the files.
                guard told.insert(error.message).inserted || error.message.contains(input.name) else { throw error }
                Console.current.error(errorMessage(error, about: inputs.count > 1 ? input.name : "") + "\n")
                failure = failure ?? ExitStatus(of: error)
            }
        }
        try results.finish()
        if let receipt, !entries.isEmpty {
            try await TranscriptsReceipt(of: entries, daemon).write(to: receipt, daemon)
        }
        return failure
    }

    private func transcribe(
        _ input: RecordingArgument, _ request: V1.TranscribeRequest, _ results: TranscriptOutput,
        _ daemon: DaemonConnection
    ) async throws -> V1.Transcript? {
        let line = verbosity.progress
        defer { line.clear() }
        var whole: V1.Transcript?
        try await daemon.events(V1.TranscribeRPC.stream, request) { message in
            switch message.event {
            case .segment(let segment)?:
                line.clear()
                try results.append(segment)
            case .progress(let progress)?: line.show(input.name, progress) { "\($0) s" }
            case .done(let transcript)?:
                line.clear()
                try results.append(transcript)
                tell(transcript)
                whole = transcript
            case .started?, nil: break
            }
        }
        return whole
    }

    /// Starts a job for each recording.
    private func start(_ inputs: [RecordingArgument], _ daemon: DaemonConnection) async throws {
        var request = try await request(daemon)
        let sources = try inputs.map { try $0.storedSource(span.span, reading: reading.choices) }
        for (input, source) in zip(inputs, sources) {
            request.audio = source
            let job = V1.StartJobRequest(label: input.name, work: .transcribe(request))
            try Console.current.print(try await daemon.call(V1.JobRPC.start, job).id)
        }
    }

    /// Whether an error may concern one recording, so that the next may go better.
    private func concernsOneFile(_ error: WireError) -> Bool {
        switch ExitStatus(of: error) {
        case .usage, .badData, .noInput, .inputOutput: true
        default: false
        }
    }

    private func tell(_ transcript: V1.Transcript) {
        for notice in transcript.notices { verbosity.logger.warning("\(transcript.file): \(notice.text)") }
        guard transcript.segments.contains(where: { $0.temperature > 0 }) else { return }
        verbosity.logger.notice(
            "\(transcript.file): some tokens were drawn at random; the seed was \(transcript.seed)")
    }

    private func request(_ daemon: DaemonConnection) async throws -> V1.TranscribeRequest {
        var options = V1.DecodingOptions(language: speech.language ?? "", task: speech.task)
        options.wordTimestamps = wordTimestamps
        var request = V1.TranscribeRequest(model: model.reference, options: options)
        request.padding = padding ?? .paddingUnspecified
        try decoding.apply(to: &request)
        return request
    }
}

extension TranscriptFormat: ExpressibleByArgument {}
