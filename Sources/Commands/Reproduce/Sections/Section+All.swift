extension Section {
    /// All sections, in the order of the page.
    package static let all: [Section] = [
        .neurons, .ranges, .decoderNeurons, .attention, .words, .bigrams, .probes,
    ]
}
