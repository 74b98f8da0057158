import Heads
import PluginKit
import PluginTranscripts

extension SpeakersAndNoisePlugin {
    static let parameters: [Parameter] = [
        .text("speaker", default: "speaker", "the column that says who speaks"),
        .integer(
            "splices", default: 40, in: 0...1000,
            "pairs of splices: behind somebody another, and behind them themselves"),
        .text(
            "hooks", default: "encoder.blocks.*",
            "hook points of the encoder whose columns may jump at the seam, names or globs, with commas between"),
        .number("side", default: 1.5, in: 0.1...12, "seconds of speech on each side of a seam"),
        .number("gap", default: 0.1, in: 0...3, "seconds of silence at a seam"),
        .number("span", default: 0.5, in: 0.02...12, "seconds on each side that are compared, at most a side"),
        .integer("top", default: 20, in: 1...1000, "features that are told of"),
        .integer("overlaps", default: 10, in: 0...500, "pairs of speakers who speak at once"),
        .text("levels", default: "0,-6,-12", "decibels that the second of them is louder"),
        ColumnValues.nonSpeech,
        .boolean("made", default: true, "whether to add sounds that are made: silence, noise, a chord"),
        .text(
            "attention", default: "decoder",
            "heads that are knocked out where words are written for nothing: encoder, decoder, cross, with commas between"
        ),
        .choice(
            "change", default: AttentionHead.Change.zero.rawValue, of: AttentionHead.Change.allCases.map(\.rawValue),
            "what stands in a head's place: nothing, or its mean over the positions of the pass"),
        .integer(
            "together", default: 3, in: 0...10, "heads that write most for nothing, which are knocked out together"),
        .integer(
            "kept", default: 60, in: 2...500,
            "recordings with speech, the first ones, that splices and overlaps are made of"),
        Transcriber.parameter,
    ]

    static let outputs: [Output] = [
        .table(
            "jumps", title: "Features that jump where the speaker changes",
            "Found with half of the speakers, scored with the others"),
        .table(
            "hooks", title: "All columns together", "How well the cosine distance across the seam tells another speaker"
        ),
        .audio("splice", title: "A splice", "Somebody, and then another"),
        .table("levels", title: "Two at once", "Shares of the words of each that are written"),
        .table("overlaps", title: "Two at once, each pair"),
        .audio("overlap", title: "Two at once"),
        .table("nonspeech", title: "Where nobody speaks", "What is written, and how likely the model finds it"),
        .table("heads", title: "Heads that write it", "Words written for nothing, with each head knocked out alone"),
        .table("together", title: "Knocked out together", "The first, the first two, and so on"),
        .text("summary", title: "In words"),
    ]

    struct Settings {
        let speaker: String
        let splices: Int
        let hooks: [String]
        let side, gap, span: Double
        let top, overlaps: Int
        let levels: [Double]
        let nonSpeech: ColumnValues?
        let isMade: Bool
        let kinds: [AttentionHead.Kind]
        let change: AttentionHead.Change
        let together, kept: Int

        init(_ arguments: Arguments) throws {
            speaker = try arguments.text("speaker")
            splices = try arguments.integer("splices")
            hooks = try arguments.list("hooks")
            guard !hooks.isEmpty, hooks.allSatisfy({ $0.hasPrefix("encoder.") }) else {
                throw PluginError(
                    .invalidArgument,
                    "hooks is \"\(try arguments.text("hooks"))\"; expected hook points of the encoder, as encoder.blocks.*"
                )
            }
            side = try arguments.number("side")
            gap = try arguments.number("gap")
            span = min(try arguments.number("span"), side)
            top = try arguments.integer("top")
            overlaps = try arguments.integer("overlaps")
            levels = try arguments.numbers("levels")
            guard levels.allSatisfy({ abs($0) <= 60 }), !levels.isEmpty || overlaps == 0 else {
                throw PluginError(
                    .invalidArgument, "levels is \"\(try arguments.text("levels"))\"; expected decibels to 60, as 0,-6")
            }
            nonSpeech = try ColumnValues(parsing: arguments.text("nonspeech"), parameter: "nonspeech")
            isMade = try arguments.boolean("made")
            kinds = try AttentionHead.kinds(arguments)
            change = try AttentionHead.change(arguments)
            together = try arguments.integer("together")
            kept = try arguments.integer("kept")
        }
    }
}
