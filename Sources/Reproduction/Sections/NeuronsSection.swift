import Messages
import Results

extension Section {
    /// Claim 1: neurons of the encoder listen to one sound each.
    static let neurons = Section(
        id: "neurons",
        title: "Neurons of the encoder listen to one sound each",
        claim: """
            Of all neurons in the encoder's MLPs, the sounds that excite them most were brought out and listened to, and \
            found to be highly interpretable: in encoder.blocks.2.mlp.1, neuron 0 is “m”, 1 “sh/ch”, 3 “c”; one block \
            later some listen to whole syllables, as “said”.
            """,
        method: """
            For each neuron of encoder.blocks.2.mlp.1 the recordings with its largest values, over frames of sound only. Where \
            the sounds of the recordings are known, its label is the phoneme with the highest precision above the 99 % \
            quantile of its values, named on some speakers and scored on others; a sound that is not at least 1.25 times as \
            frequent there as in all frames is no label. A neuron counts as listening to it where half of the frames are of it, or \
            more, at the threshold that finds 5 % of it: a neuron may answer to one S in six and be right each time, which AUC does \
            not see. Press an example to hear the second around the sound that it answers to (by the label's lag before the \
            maximum): 62.5 ms of it as they are, what is around them softer.
            """,
        parts: [FeatureScan.part("scan", shared: "scan", hook: FeatureScan.encoderHook)],
        criteria: [
            Criterion(
                "first",
                "share of the first 50 neurons that say one phoneme: precision at least 0.5 where 5 % of it are found",
                holds: 0.5, partly: 0.05, least: 20,
                because: "the post finds one in most that it shows; labels by chance are one in a hundred"),
            Criterion(
                "all", "the same share of all neurons of the layer", holds: 0.25, partly: 0.03, least: 20,
                because: "some of them fire too rarely on few recordings to be named"),
        ],
        exhibits: [
            Exhibit(Exhibit.findings, "labels", "Which sounds are listened to by how many neurons."),
            Exhibit("scan", "neurons", "The first 50 neurons as the plugin has them.", folded: true),
            Exhibit("scan", "method", "How the labels were found.", folded: true),
        ],
        study: { try NeuronStudy($0).findings() })
}

/// The study of neurons and their labels.
struct NeuronStudy {
    private static let first = 50
    private let evidence: Evidence
    private let scan: FeatureScan

    init(_ evidence: Evidence) throws {
        self.evidence = evidence
        scan = try FeatureScan(evidence, "scan")
    }

    func findings() -> Findings {
        var findings = Findings()
        let first = min(Self.first, scan.count)
        let selective = scan.selective(of: 0..<scan.count)
        if let reason = FeatureScan.reasonAgainstLabels(evidence.samples) {
            findings.measures = ["first", "all"].map { Measure($0, missing: reason.text, reason.shortage) }
            findings.sentence = "The examples can be heard; \(reason.text)."
        } else {
            findings.measures = [
                Measure("first", share: selective.count { $0 < first }, of: first, "neurons"),
                Measure("all", share: selective.count, of: scan.count, "neurons"),
            ]
            findings.sentence =
                "\(selective.count { $0 < first }) of the first \(first) neurons of \(scan.hook), and \(selective.count) of "
                + "all \(scan.count), are selective for a phoneme on speakers that did not name it."
        }
        var counts: [String: Double] = [:]
        for feature in selective { counts[scan.labels[feature]?.label ?? "", default: 0] += 1 }
        let sounds = counts.keys.sorted { (counts[$0] ?? 0, $1) > (counts[$1] ?? 0, $0) }
        if !sounds.isEmpty {
            findings.results.bars(
                "labels", "Neurons by phoneme", unit: "neurons", groups: ("phoneme", sounds), series: ("", ["neurons"]),
                values: sounds.map { [counts[$0] ?? 0] })
        }
        if !selective.isEmpty {
            findings.listening.append(
                scan.table("The clearest ones", "neuron", Array(selective.prefix(12)), examples: 5))
        }
        findings.listening.append(scan.table("The first \(first)", "neuron", Array(0..<first), examples: 3))
        return findings
    }
}
