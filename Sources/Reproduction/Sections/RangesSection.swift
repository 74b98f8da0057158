import Messages
import Results

extension Section {
    /// Claim 2: neurons stand for other sounds at other strengths.
    package static let ranges = Section(
        id: "ranges",
        title: "At other strengths a neuron stands for other sounds",
        claim: """
            Neurons are polysemantic, or polyphonetic: listened to at ranges of activation and not only at the top, neuron 1 of \
            encoder.blocks.2.mlp.1 goes from “sh” over “ch” to “j”, and neuron 3 from “c” to “g”.
            """,
        method: """
            The span from 0 to a neuron's maximum is cut into ten ranges of equal width. A sound leads a range where more of \
            the range's frames are of it than of any other, and a third of them at least. A neuron is judged where a \
            sound leads the highest range that has twenty frames of known sounds (a sound lasts about four, and one that \
            was loud once says nothing); it counts as polysemantic where another one leads a lower range, from 30 % of \
            the maximum up, with as many. Silence is no sound.
            """,
        parts: [FeatureScan.part("scan", shared: "scan", hook: FeatureScan.encoderHook)],
        criteria: [
            Criterion(
                "polysemantic", "share of neurons that another sound leads at a lower range", holds: 0.5, partly: 0.1,
                least: 20,
                because: "it is usual where every other neuron is polysemantic, and happens from one in ten")
        ],
        exhibits: [
            Exhibit(Exhibit.findings, "neuron-1", "Sounds by range of activation, the highest range first."),
            Exhibit(Exhibit.findings, "neuron-2", "Another one."),
            Exhibit(Exhibit.findings, "neuron-3", "And a third."),
            Exhibit(
                Exhibit.findings, "neurons", "The leading sounds of all neurons that could be judged.", folded: true),
        ],
        study: { try RangeStudy($0).findings() })
}

/// The study of ranges of activation.
struct RangeStudy {
    /// Frames of known sounds in a range that counts. With five, where most highest ranges are one or two occurrences
    /// of a sound, three times as many neurons would seem to stand for several.
    private static let fewest = 20.0
    /// The lowest range that counts, of ten.
    private static let lowest = 3
    /// Of a range's frames, for a sound to lead it.
    private static let leadingShare = 1.0 / 3
    /// What data sets call a frame without a sound.
    private static let silences: Set<String> = ["", "sil", "pau", "sp", "spn", "h#", "silence", "#", "_"]

    private let evidence: Evidence
    private let scan: FeatureScan
    private let bins: [Int: [FeatureScan.Bin]]

    init(_ evidence: Evidence) throws {
        self.evidence = evidence
        scan = try FeatureScan(evidence, "scan")
        bins = try scan.bins(evidence, "scan")
    }

    /// A neuron whose ranges have frames enough.
    private struct Judged {
        let feature: Int
        let top: String
        /// Another leading sound and the range's share of frames that are of it.
        let other: (label: String, share: Double)?
    }

    private func sounds(_ bin: FeatureScan.Bin) -> [(label: String, count: Double)] {
        bin.sounds.filter { !Self.silences.contains($0.label.lowercased()) }
    }

    /// The sound that leads a range, and its share of the range's frames; nil where none does.
    private func leading(_ bin: FeatureScan.Bin) -> (label: String, share: Double)? {
        guard let first = sounds(bin).first, bin.count > 0 else { return nil }
        let share = first.count / bin.count
        return share >= Self.leadingShare ? (first.label, share) : nil
    }

    private func judge(_ feature: Int, _ bins: [FeatureScan.Bin]) -> Judged? {
        func total(_ bin: FeatureScan.Bin) -> Double { sounds(bin).reduce(0) { $0 + $1.count } }
        guard let place = bins.indices.last(where: { total(bins[$0]) >= Self.fewest }),
            let top = leading(bins[place])?.label
        else { return nil }
        let lower = bins.indices.filter { $0 >= Self.lowest && $0 < place && total(bins[$0]) >= Self.fewest }
        guard !lower.isEmpty else { return nil }
        let others = lower.compactMap { leading(bins[$0]) }.filter { $0.label != top }
        return Judged(feature: feature, top: top, other: others.max { $0.share < $1.share })
    }

    func findings() -> Findings {
        var findings = Findings()
        guard evidence.samples.samples.contains(where: { !$0.item.phonemes.isEmpty }) else {
            let reason = "of no recording it is known which sounds are in it and when"
            findings.measures = [
                Measure(
                    "polysemantic", missing: reason, Shortage(ofRecordings: 0, needed: FeatureScan.fewestLabelled))
            ]
            findings.sentence = "The ranges can be heard; \(reason)."
            findings.listening = bins.keys.sorted().prefix(3).map(listening)
            return findings
        }
        let judged = bins.sorted { $0.key < $1.key }.compactMap { judge($0.key, $0.value) }
        let several = judged.filter { $0.other != nil }
        findings.measures = [Measure("polysemantic", share: several.count, of: judged.count, "neurons")]
        findings.sentence =
            "Of \(judged.count) neurons of \(scan.hook) whose highest range is led by a sound, \(several.count) have a lower "
            + "range that another one leads."
        let clearest = several.sorted {
            ($0.other?.share ?? 0, $1.feature) > ($1.other?.share ?? 0, $0.feature)
        }
        for (place, neuron) in clearest.prefix(3).enumerated() {
            addBars("neuron-\(place + 1)", neuron.feature, to: &findings)
            findings.listening.append(listening(neuron.feature))
        }
        findings.results.table(
            "neurons", "Leading sounds", columns: ["neuron", "highest range", "a lower range", "its share there"],
            rows: judged.map {
                [
                    .number(Double($0.feature)), .text($0.top), $0.other.map { .text($0.label) },
                    $0.other.map { .number($0.share) },
                ]
            })
        return findings
    }

    private func addBars(_ id: String, _ feature: Int, to findings: inout Findings) {
        let ranges = (bins[feature] ?? []).reversed().filter { !sounds($0).isEmpty }
        var peaks: [String: Double] = [:]
        for bin in ranges {
            for sound in sounds(bin) { peaks[sound.label] = max(peaks[sound.label] ?? 0, sound.count / bin.count) }
        }
        let shown = Array(peaks.keys.sorted { (peaks[$0] ?? 0, $1) > (peaks[$1] ?? 0, $0) }.prefix(6))
        findings.results.bars(
            id, "Neuron \(feature) of \(scan.hook)", unit: "share of the range's frames",
            groups: ("activation", ranges.map(Self.name)), series: ("sound", shown),
            values: ranges.map { bin in
                shown.map { label in (sounds(bin).first { $0.label == label }?.count ?? 0) / bin.count }
            })
    }

    private static func name(_ bin: FeatureScan.Bin) -> String {
        "\(Digits.short((bin.low * 100).rounded() / 100))–\(Digits.short((bin.high * 100).rounded() / 100))"
    }

    private func listening(_ feature: Int) -> Listening {
        .table(
            ListeningTable(
                title: "Neuron \(feature)", columns: ["activation", "frames", "sounds", "examples"],
                rows: (bins[feature] ?? []).reversed().filter { $0.count > 0 }.map { bin in
                    [
                        .text(Self.name(bin)), .number(bin.count),
                        .text(
                            sounds(bin).prefix(3).map { "\($0.label) \(($0.count / bin.count).percent)" }
                                .joined(separator: ", ")),
                        .sounds(bin.examples.prefix(4).map { scan.moment($0) }),
                    ]
                }))
    }
}
