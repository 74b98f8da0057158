import ArgumentParser
import Client
import Files
import Messages

/// `auscult align`: words and phonemes of anyone's recordings, by the Python client's `auscult.alignment`.
struct AlignCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "align",
        abstract: "Find when words and phonemes are heard, for labels of one's own recordings.",
        discussion: """
              auscult align talk.wav --model tiny.en
              auscult align recordings/ --out grids --model tiny.en
              auscult run features grids/manifest.jsonl --model tiny.en
              auscult align data.jsonl --manifest aligned.jsonl
              auscult align --score known.jsonl

            The words are the recording's text, from a manifest or a file beside it (talk.txt), or the model's transcript. \
            English is aligned by pocketsphinx; words that its dictionary lacks get their pronunciation from espeak-ng ('guessed'). \
            Other languages are placed where the model hears their words, and espeak-ng's phonemes are spread over those \
            ('coarse'); so is English that cannot be aligned. Phonemes are ARPAbet's, without stress.

            Each recording gets a TextGrid with the tiers words, phones and quality, beside it or in a folder, and the \
            manifest has them all with what was known before: other commands take it as it is. A TextGrid that is there \
            already stays.

            With --score nothing is written: the recordings are aligned by their texts, and compared with the alignments \
            that their manifest has.

            It takes the Python client: pip install './clients/python[align]'. $AUSCULT_PYTHON names another interpreter than \
            python3.
            """)

    enum Method: String, ExpressibleByArgument, CaseIterable { case auto, forced, coarse }

    @Argument(help: "Recordings, folders and manifests; with --score, or --out, demo: as well.", completion: .file())
    var inputs: [String]
    @Option(
        name: [.short, .long], help: ArgumentHelp("The folder of the TextGrids.", valueName: "folder"),
        completion: .directory)
    var out: String?
    @Option(
        help: ArgumentHelp(
            "The manifest; by default manifest.jsonl in the folder of --out, or aligned.jsonl here.", valueName: "file"),
        completion: .file())
    var manifest: String?
    @Option(help: "The text of the one recording that is named.") var text: String?
    @Flag(help: "Use the model's transcript, even where a text is known.") var transcribe = false
    @Option(help: ArgumentHelp("The code of the language, where none is known.", valueName: "code"))
    var language: String?
    @Option(
        help: ArgumentHelp(
            """
            auto; forced, where what cannot be aligned is an error; coarse, by where the model hears the words alone.
            """))
    var method = Method.auto
    @Flag(help: "Make TextGrids anew that are there already.") var overwrite = false
    @Flag(help: "Print how far the alignment is from one that is known.") var score = false
    @Option(help: ArgumentHelp("The column that a score is grouped by.", valueName: "column")) var by = "alignment_kind"
    @OptionGroup var model: ModelOptions
    @OptionGroup var format: FormatOption
    @Flag(name: [.short, .long], help: "Print errors only, and no progress.") var quiet = false
    @OptionGroup(title: "Daemon") var connection: ConnectionOptions

    func validate() throws {
        guard !inputs.isEmpty else { throw ValidationError("Name recordings, folders or manifests.") }
        guard !inputs.contains("-") else {
            throw ValidationError("Standard input has no place for a TextGrid; name a file.")
        }
        guard !score || (out == nil && manifest == nil && !overwrite) else {
            throw ValidationError("--score writes nothing, so it goes without --out, --manifest and --overwrite.")
        }
        guard text == nil || !transcribe else { throw ValidationError("--text and --transcribe exclude each other.") }
    }

    func run() async throws {
        let environment = Console.current.environment
        let module = try PythonModule(
            "auscult.alignment", install: "pip install './clients/python[align]'", environment: environment)
        var additions = ["AUSCULT_SOCKET": try connection.path.path]
        // The daemon beside this program need not be in $PATH.
        if let daemon = DaemonLauncher(environment: environment).program { additions["AUSCULT_DAEMON"] = daemon }
        try module.replaceProcess(moduleArguments, adding: additions)
    }

    /// The same arguments in the module's words, which are these.
    private var moduleArguments: [String] {
        let options: [(String, String?)] = [
            ("--out", out), ("--manifest", manifest), ("--text", text), ("--language", language),
            ("--method", method.rawValue), ("--by", by), ("--model", model.model), ("--vocab", model.vocab),
            ("--precision", model.precision.name), ("--format", format.format.rawValue),
        ]
        let flags = [
            ("--transcribe", transcribe), ("--overwrite", overwrite), ("--score", score), ("--quiet", quiet),
            ("--no-start", connection.noStart),
        ]
        // With "=", a value that begins with a dash is one; behind "--", so is a file.
        return options.compactMap { name, value in value.map { "\(name)=\($0)" } } + flags.filter(\.1).map(\.0) + ["--"]
            + inputs
    }
}
