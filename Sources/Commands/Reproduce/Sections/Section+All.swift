extension Section {
    /// All sections, in the order of the page.
    package static let all: [Section] = [.attention, .words, .bigrams, .probes]
}
