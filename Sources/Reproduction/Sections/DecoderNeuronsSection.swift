import Messages
import Results

extension Section {
    /// Claim 4: neurons of the decoder, with the transcripts that excite them.
    static let decoderNeurons = Section(
        id: "decoder-neurons",
        title: "Neurons of the decoder answer to words",
        claim: """
            The same can be done in the decoder: a neuron of decoder.blocks.0.mlp.1 is shown by the transcripts that excite it \
            most, with the token at which it is largest marked; neurons answer to a word, or to words that are alike.
            """,
        method: """
            The decoder reads its own transcript of each recording. For each neuron, the recordings with its largest values and \
            the token there. Start tokens do not count, nor recordings without speech; of the same passage (the token \
            and three before it, or behind it, or the whole text) only the best counts. A neuron counts as answering to a \
            token where three of its five best recordings, or more, have the same token there. How often that would be by chance is found from the tokens' \
            own frequencies in the transcripts.
            """,
        parts: [FeatureScan.part("scan") { _ in "decoder.blocks.0.mlp.1" }],
        criteria: [
            Criterion(
                "tokens", "share of neurons with the same token in three of their five best recordings", holds: 0.5,
                partly: 0.1, least: 20, because: "every other neuron; some, from one in ten"),
            Criterion(
                "gain", "how much larger that share is than by chance", holds: 0.25, partly: 0.05, least: 20,
                because: "frequent tokens are at many maxima without being what a neuron answers to"),
        ],
        exhibits: [
            Exhibit(Exhibit.findings, "tokens", "Tokens that most neurons answer to."),
            Exhibit("scan", "neurons", "The first 50 neurons as the plugin has them.", folded: true),
        ],
        study: { try DecoderNeuronStudy($0).findings() }, readsTranscripts: true)
}

/// The study of the decoder's neurons.
struct DecoderNeuronStudy {
    private static let looked = 5
    private static let same = 3
    /// Tokens to one side of another, by which a passage is known again.
    private static let passage = 3
    private static let fewestTexts = 20
    private let scan: FeatureScan
    /// Recordings that hold no speech, or none in a language of the model; what is written of them is invented.
    private let silent: Set<String>

    init(_ evidence: Evidence) throws {
        scan = try FeatureScan(evidence, "scan")
        silent = Set(
            (evidence.samples.samples.filter { !$0.maySpeak } + evidence.situation.foreign).map(\.name))
    }

    /// An example with its transcript and the token in it.
    private struct Marked {
        let example: FeatureScan.Example
        let tokens: [String]
        let place: Int
        var token: String { tokens[place].lowercased() }

        /// Whether both are of the same passage: a data set may have a sentence by itself and within a longer
        /// recording.
        func repeats(_ other: Marked) -> Bool {
            guard tokens != other.tokens else { return true }
            func isSame(_ side: (Marked) -> [String]) -> Bool {
                side(self).count == DecoderNeuronStudy.passage && side(self) == side(other)
            }
            return token == other.token && (isSame(\.before) || isSame(\.after))
        }

        private var before: [String] { Array(Self.words(tokens[..<place]).suffix(DecoderNeuronStudy.passage)) }
        private var after: [String] { Array(Self.words(tokens[(place + 1)...]).prefix(DecoderNeuronStudy.passage)) }

        private static func words(_ tokens: ArraySlice<String>) -> [String] {
            tokens.filter { !DecoderNeuronStudy.isSpecial($0) }.map { $0.lowercased() }
        }
    }

    /// A feature's best recordings that count.
    private func best(_ feature: Int) -> [Marked] {
        var best: [Marked] = []
        for example in scan.examples[feature] ?? [] where !silent.contains(example.name) {
            guard let marked = marked(example), !best.contains(where: marked.repeats) else { continue }
            best.append(marked)
        }
        return best
    }

    private func marked(_ example: FeatureScan.Example) -> Marked? {
        let tokens = scan.tokens(example.recording)
        guard let place = tokens.firstIndex(where: { $0.position == Double(example.frame) }),
            !Self.isSpecial(tokens[place].text)
        else { return nil }
        return Marked(example: example, tokens: tokens.map(\.text), place: place)
    }

    private static func isSpecial(_ token: String) -> Bool { token.hasPrefix("<|") }

    func findings() -> Findings {
        var findings = Findings()
        var judged = 0
        var answering: [(feature: Int, token: String, times: Int)] = []
        for feature in 0..<scan.count {
            let best = best(feature).prefix(Self.looked)
            guard best.count == Self.looked else { continue }
            judged += 1
            let counts = Dictionary(best.map { ($0.token, 1) }, uniquingKeysWith: +)
            if let token = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }), token.value >= Self.same {
                answering.append((feature, token.key, token.value))
            }
        }
        let texts = Set(scan.names.filter { !silent.contains($0.value) }.keys.map { scan.tokens($0).map(\.text) })
        guard texts.count >= Self.fewestTexts else {
            // Where each word is in one text alone, none can be in three.
            let reason = "there are \(texts.count) different transcripts, and \(Self.fewestTexts) are needed"
            let shortage = Shortage(ofRecordings: texts.count, needed: Self.fewestTexts)
            findings.measures = ["tokens", "gain"].map { Measure($0, missing: reason, shortage) }
            findings.sentence = "The transcripts can be looked at; \(reason)."
            findings.listening = [table("The first 50", Array(0..<min(50, scan.count)))]
            return findings
        }
        let share = judged > 0 ? Double(answering.count) / Double(judged) : .nan
        let chance = self.chance
        findings.measures = [
            Measure("tokens", share, count: judged, "neurons"),
            Measure("gain", share - chance, count: judged, "neurons"),
        ]
        findings.sentence =
            "\(answering.count) of \(judged) neurons of \(scan.hook) have the same token in three of their five best "
            + "recordings (\(share.percent)); by chance it would be \(chance.percent)."
        let left = scan.count - judged
        if left > 0 {
            findings.notes.append(
                "\(left) of \(scan.count) neurons do not count: fewer than five of their best recordings have their "
                    + "largest value at a token of a passage of its own.")
        }
        let byToken = Dictionary(answering.map { ($0.token, 1.0) }, uniquingKeysWith: +)
        let tokens = byToken.keys.sorted { (byToken[$0] ?? 0, $1) > (byToken[$1] ?? 0, $0) }.prefix(20)
        if !tokens.isEmpty {
            findings.results.bars(
                "tokens", "Neurons by token", unit: "neurons", groups: ("token", Array(tokens)),
                series: ("", ["neurons"]), values: tokens.map { [byToken[$0] ?? 0] })
        }
        let clearest = answering.sorted { ($0.times, $1.feature) > ($1.times, $0.feature) }
        if !clearest.isEmpty {
            findings.listening.append(table("The clearest ones", clearest.prefix(12).map(\.feature)))
        }
        findings.listening.append(table("The first 50", Array(0..<min(50, scan.count))))
        return findings
    }

    /// The probability that of five tokens, drawn by their frequency in the transcripts, three or more are the same.
    private var chance: Double {
        var counts: [String: Double] = [:]
        for (recording, name) in scan.names where !silent.contains(name) {
            for token in scan.tokens(recording).map(\.text) where !Self.isSpecial(token) {
                counts[token.lowercased(), default: 0] += 1
            }
        }
        let total = counts.values.reduce(0, +)
        // No two tokens can both be three of five, so the probabilities add up.
        return counts.values.reduce(0) { sum, count in
            let p = count / total
            let q = 1 - p
            return sum + 10 * p * p * p * q * q + 5 * p * p * p * p * q + p * p * p * p * p
        }
    }

    private func table(_ title: String, _ features: [Int]) -> Listening {
        .table(
            ListeningTable(
                title: title, columns: ["neuron", "transcripts, with the token at the maximum", "sound"],
                rows: features.map { feature in
                    let best = best(feature).prefix(3)
                    return [
                        .number(Double(feature)), .texts(best.map(Self.words)),
                        .sounds(
                            best.prefix(1).map {
                                PlayableMoment(
                                    label: $0.example.name,
                                    sound: SoundRequest(
                                        sample: $0.example.name, start: 0, end: ListeningCard.longest))
                            }),
                    ]
                }))
    }

    /// The text with the token marked.
    private static func words(_ marked: Marked) -> [WordChange] {
        func text(_ tokens: ArraySlice<String>) -> String { tokens.filter { !isSpecial($0) }.joined() }
        let before = text(marked.tokens[..<marked.place])
        let after = text(marked.tokens[(marked.place + 1)...])
        return [
            WordChange(.kept, before), WordChange(.marked, marked.tokens[marked.place]), WordChange(.kept, after),
        ].filter { !$0.word.isEmpty }
    }
}
