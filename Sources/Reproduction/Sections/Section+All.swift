extension Section {
    /// All sections, in the order of the page.
    package static let all: [Section] = [
        .neurons, .ranges, .dictionary, .decoderNeurons, .attention, .rollout, .words, .bigrams, .probes, .speakers,
    ]
}
