/// What a plugin may ask of the engine: the host's extensions tokenizer, weights, model, gradients and folder.
///
/// Called on the thread that waits for the plugin (in ``PluginProcess/process(_:)``, say), one at a time; the plugin's
/// watchdog stands still meanwhile. Everything in the arguments comes from the plugin and is hostile: lengths are
/// bounded, nothing else is known of them. What is thrown goes to the plugin as a sentence: a ``PluginError`` with its
/// code (`notFound` and `missing` become AUSCULT_NOT_FOUND, `invalidArgument`, `unsupported`, `cancelled`, `limit` the
/// statuses of those names), any other error as AUSCULT_FAILED. The run goes on.
public protocol PluginServices: Sendable {
    /// The ids of `text`. `parseSpecial`: whether "<|en|>" means that token.
    func encode(_ text: String, parseSpecial: Bool) throws -> [Int32]
    /// The text of `tokens`.
    func decode(_ tokens: [Int32]) throws -> String
    /// A parameter of the model, by openai/whisper's names.
    func weights(_ name: String) throws -> PluginTensor
    /// Listens to `samples` (16 kHz mono, at most one window; nil for all padding) under interventions in their text
    /// form. `tokens`: what the decoder reads; nil for none. `hooks`: globs.
    func run(samples: [Float]?, tokens: [Int32]?, interventions: [String], hooks: [String]) throws -> [PluginTensor]
    /// Runs the model once, and goes back through it once for each objective.
    func pass(_ pass: PluginPass) throws -> PluginPassAnswer
    /// The logits after the last token of each of `sequences` sequences of `tokensEach`: `[sequences, n_vocab]`.
    /// - Parameters:
    ///   - audio: `[n_audio_ctx, n_audio_state]` float32, row-major; nil for what the encoder gives for all padding.
    ///   - tokens: `sequences * tokensEach` of them, which has been checked.
    func decode(
        audio: (shape: [Int], elements: [Float])?, tokens: [Int32], sequences: Int, tokensEach: Int
    ) throws -> PluginTensor
    /// The transcript of samples of any length. `language`: empty to detect it.
    func transcribe(samples: [Float], language: String, interventions: [String]) throws -> String
    /// The plugin's own folder, absolute; it exists when this returns.
    func stateFolder() throws -> String
}
