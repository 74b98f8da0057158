import ArgumentParser
import Client

/// How recordings are read.
struct ReadingFlags: ParsableArguments {
    @Flag(help: "Take standard input for 16 kHz mono s16le samples, whatever it looks like.") var raw = false
    @Flag(
        help: """
            Refuse a recording that is cut short, damaged in part, or on another scale, rather than use what there is \
            and say so.
            """)
    var strict = false

    var choices: ReadingChoices { ReadingChoices(raw: raw, strict: strict) }
}
