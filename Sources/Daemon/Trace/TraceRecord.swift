import Audio
import Kernels

/// What a trace has found so far. One trace uses it, on one thread.
final class TraceRecord {
    let turn: EngineTurn?
    private let sink: any TraceSink
    private(set) var tensors: [TracedTensor] = []
    /// For each window that the decoder was asked about, what it read, and how many tokens of that were given to it.
    private(set) var tokens: [[Int]] = []
    private(set) var promptTokens: [Int] = []
    /// For each window, what the objectives came to.
    private(set) var values: [[Double]] = []
    /// Where each window begins, in seconds.
    var windowStarts: [Double] = []
    /// What there is to know about the recording.
    var notices: [Notice] = []

    init(_ sink: some TraceSink, _ turn: EngineTurn?) { (self.sink, self.turn) = (sink, turn) }

    func begin(windows: Int?) throws { try sink.begin(windows: windows) }

    func append(_ description: TracedTensor, _ tensor: Tensor) throws {
        tensors.append(description)
        try sink.append(description, tensor)
        try turn?.checkpoint()
    }

    func differentiated(_ values: [Double]) { self.values.append(values) }

    func read(_ tokens: [Int], prompt: Int? = nil) {
        self.tokens.append(tokens)
        if let prompt { promptTokens.append(prompt) }
    }
}
