import PluginKit

/// The arguments of a run.
struct Settings: Sendable {
    var prompts: [String] = []
    var language = "en"
    var noTimestamps = false
    var top = 20
    var matrix = false
    var matrixTop = 1
    var rows = 50
    var batch = 256
    var out: String?
    var corpus: String?
    var corpusRows = 1000

    init() {}

    init(_ arguments: Arguments) throws {
        prompts = try arguments.text("prompt").split(separator: "|", omittingEmptySubsequences: false)
            .map(Self.trimmedBehind).filter { !$0.isEmpty }
        language = try arguments.text("language")
        noTimestamps = try arguments.boolean("notimestamps")
        top = try arguments.integer("top")
        matrix = try arguments.boolean("matrix")
        matrixTop = try arguments.integer("matrix_top")
        rows = try arguments.integer("rows")
        batch = try arguments.integer("batch")
        out = try arguments.path("out")
        corpus = try arguments.path("corpus")
        corpusRows = try arguments.integer("corpus_rows")
        // With nothing asked, what the decoder begins with.
        if prompts.isEmpty, !matrix, corpus == nil { prompts = [""] }
        guard out == nil || matrix else {
            throw PluginError(.invalidArgument, "out is the whole matrix's file: it goes with matrix=true")
        }
    }

    /// Without the spaces at its end; one at its beginning may be meant. Between prompts, "a | b" has one of each.
    private static func trimmedBehind(_ text: Substring) -> String {
        let end = text.lastIndex { $0 != " " }.map(text.index(after:)) ?? text.startIndex
        return String(text[..<end])
    }

    static let parameters: [Parameter] = [
        .text(
            "prompt",
            """
            what was just said, several between '|'; a space is put before each, as before a word within a sentence. A \
            prompt of several tokens conditions on all of them, not on the last alone. Empty, without matrix and corpus: \
            what the decoder says first
            """),
        .text("language", default: "en", "the language's token; empty for an English-only model, which has none"),
        .boolean("notimestamps", default: false, "puts <|notimestamps|> behind <|transcribe|>"),
        .integer("top", default: 20, in: 1...1000, "next tokens for each prompt"),
        .boolean("matrix", default: false, "asks for every token of the vocabulary"),
        .integer("matrix_top", default: 1, in: 1...20, "next tokens for each token of the matrix's table"),
        .integer("rows", default: 50, in: 1...10_000, "rows of the table of the most deterministic tokens"),
        .integer("batch", default: 256, in: 1...1024, "sequences at a time"),
        .path(
            "out", "with matrix=true, a safetensors file for the logits [n_vocab, n_vocab] (float32: 4 n_vocab² bytes)"),
        .path("corpus", "a text, UTF-8, whose bigrams the model's are compared with, line by line"),
        .integer("corpus_rows", default: 1000, in: 1...100_000, "the most frequent first tokens that are compared"),
    ]
}
