import ArgumentParser
import Foundation
import Messages

/// How tokens are chosen; names and defaults are openai/whisper's.
struct DecodingFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Temperatures to try in turn until a window's text is plausible, separated by commas.",
            valueName: "t,…"))
    var temperature = "0,0.2,0.4,0.6,0.8,1"

    @Option(help: ArgumentHelp("Beams at temperature 0.", valueName: "n")) var beamSize: Int?
    @Option(help: ArgumentHelp("Samples to choose from above temperature 0.", valueName: "n")) var bestOf: Int?
    @Option(help: "Seed of the random numbers.") var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp("Text to prompt the first window with, as if it had been said before.", valueName: "text"))
    var initialPrompt: String?

    @Flag(help: "Decode each window without the previous one's text as its prompt.") var noConditionOnPreviousText =
        false
    @Flag(help: "Decode without timestamps: each window is one segment.") var noTimestamps = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Tokens never to write, separated by commas; -1, the default, stands for openai's list of non-speech tokens.",
            valueName: "id,…"))
    var suppressTokens: String?

    @Option(
        help: ArgumentHelp(
            "Write down these parts alone: start, end, start, end … in seconds; the last end may be left out.",
            valueName: "s,…"))
    var clipTimestamps: String?

    @OptionGroup var changes: InterventionOptions

    func validate() throws {
        _ = try temperatures
        _ = try Self.numbers(suppressTokens, "--suppress-tokens", "ids") { Int32($0) }
        _ = try Self.numbers(clipTimestamps, "--clip-timestamps", "seconds") { Double($0) }
        for (name, value) in [("--beam-size", beamSize), ("--best-of", bestOf)] {
            guard let value, UInt32(exactly: value) ?? 0 == 0 else { continue }
            throw ValidationError("\(name) must be from 1 to \(UInt32.max), not \(value).")
        }
    }

    private var temperatures: [Double] {
        get throws {
            try temperature.split(separator: ",", omittingEmptySubsequences: false).map { part in
                guard let value = Double(part.filter { $0 != " " }), (0...10).contains(value) else {
                    throw ValidationError(
                        "--temperature takes numbers from 0 to 10 separated by commas, not '\(temperature)'.")
                }
                return value
            }
        }
    }

    /// The numbers of openai/whisper's text form, divided by commas; nil where nothing was given.
    private static func numbers<N>(_ text: String?, _ flag: String, _ what: String, _ read: (String) -> N?) throws
        -> [N]?
    {
        guard let text else { return nil }
        guard !text.allSatisfy(\.isWhitespace) else { return [] }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let number = read(part.filter { $0 != " " }) else {
                throw ValidationError("\(flag) takes \(what) separated by commas, not '\(text)'.")
            }
            return number
        }
    }

    func apply(to request: inout V1.TranscribeRequest) throws {
        var options = request.options ?? V1.DecodingOptions()
        options.temperatures = try temperatures
        options.beamSize = UInt32(clamping: beamSize ?? 0)
        options.bestOf = UInt32(clamping: bestOf ?? 0)
        options.seed = seed
        options.withoutTimestamps = noTimestamps
        options.initialPrompt = initialPrompt ?? ""
        options.noConditionOnPreviousText = noConditionOnPreviousText
        if let ids = try Self.numbers(suppressTokens, "--suppress-tokens", "ids", { Int32($0) }) {
            options.suppressTokens = V1.TokenIds(ids: ids)
        }
        options.clipTimestamps = try Self.numbers(clipTimestamps, "--clip-timestamps", "seconds") { Double($0) } ?? []
        request.options = options
        request.interventions = changes.messages
    }
}
