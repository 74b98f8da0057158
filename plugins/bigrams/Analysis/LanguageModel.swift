import PluginKit

/// What the analysis asks of a model: its words, and what it expects after a prompt when it has heard nothing.
protocol LanguageModel {
    func encode(_ text: String, parseSpecial: Bool) throws -> [Int32]
    func text(of tokens: [Int32]) throws -> String
    /// The logits after the last token of each sequence, [sequences, vocabulary] row-major. Sequences are of one length.
    func logits(after sequences: [[Int32]]) throws -> [Float]
    func checkCancellation() throws
    func report(_ done: Int, of total: Int)
}

/// The model of a run, with padding alone as the encoder's input.
struct HostModel: LanguageModel {
    let host: Host
    let vocabulary: Int

    func encode(_ text: String, parseSpecial: Bool) throws -> [Int32] {
        try host.encode(text, parseSpecial: parseSpecial)
    }
    func text(of tokens: [Int32]) throws -> String { try host.decode(tokens) }
    func checkCancellation() throws { try host.checkCancellation() }
    func report(_ done: Int, of total: Int) { host.progress(Double(done), of: Double(total), unit: "tokens") }

    func logits(after sequences: [[Int32]]) throws -> [Float] {
        try host.decode(sequences: sequences) { tensor in
            guard tensor.shape == [sequences.count, vocabulary] else {
                throw PluginError(
                    .failed,
                    "logits came as \(tensor.shape), expected [\(sequences.count), \(vocabulary)]: sequences, vocabulary"
                )
            }
            return tensor.floats()
        }
    }
}
