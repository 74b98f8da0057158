import PluginKit

/// The decoder's next tokens for an encoder's input of padding alone: a weak language model.
public struct BigramsPlugin: AnalysisPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.bigrams", name: "Bigrams", version: "1.0.0", vendor: "Auscult", licence: "Apache-2.0",
        description: """
            The decoder alone, with nothing but padding to hear: the most probable next tokens after a prompt, or after \
            every token of the vocabulary, and how they compare with a text's bigrams.
            """,
        needs: Needs(nothingToHear: true), parameters: Settings.parameters,
        outputs: [
            .table("next", title: "Next tokens", "The most probable after each prompt, with logit and probability"),
            .vector(
                "probabilities", title: "Probabilities of the next tokens", unit: "probability", plot: .bar,
                "Of the same tokens"),
            .table("deterministic", title: "Most deterministic tokens", "With the largest first probability"),
            .table("matrix", title: "Next token of every token", "Entropy in nats, and the most probable next tokens"),
            .table(
                "corpus", title: "Beside the corpus", "For first tokens that the corpus has: rank correlation and KL"),
            .text("agreement", title: "Model and corpus", "In one sentence"),
            .text("method", title: "What was asked", "What the decoder reads before the prompt"),
        ])

    private let settings: Settings
    private let host: Host
    private var run: Run?

    public init(arguments: Arguments, host: Host) throws {
        self.settings = try Settings(arguments)
        self.host = host
    }

    public mutating func activate(_ run: Run) throws { self.run = run }

    public mutating func finish(_ results: Results) throws {
        guard let run else { throw PluginError(.failed, "there is no model") }
        let study = BigramStudy(
            model: HostModel(host: host, vocabulary: run.nVocab), settings: settings, vocabulary: run.nVocab,
            context: run.nTextCtx,
            facts: ["model": run.model, "model_sha256": run.modelSHA256, "precision": run.precision]
        ) { try results.emit($0, $1, mayBeNaN: true) }
        try study.run()
    }
}
