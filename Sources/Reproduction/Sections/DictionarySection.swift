import Messages
import Results

extension Section {
    /// Claim 3: a sparse dictionary of the residual stream has interpretable features.
    package static let dictionary = Section(
        id: "dictionary",
        title: "A sparse dictionary of the residual stream has features one can hear",
        claim: """
            Sparse autoencoders trained on the residual stream after encoder blocks 2 and 3 have features that can be heard \
            like neurons, and are highly interpretable: after block 2 “an/in/on” (3), “I” as in time (4), “l” (6); after \
            block 3 “r” (131), “n” (1), “p” (2).
            """,
        method: """
            A sparse autoencoder (BatchTopK, four times as many latents as the residual stream is wide, 16 of them active at a \
            frame) is trained on frames of sound after the encoder's block 2, and judged on recordings that are kept from \
            it. Then its latents are looked at as the neurons are. The post has tied weights, an L1 penalty and 200 \
            latents, and trained on much more sound than a few clips; training here is short (--steps).
            """,
        parts: [
            .plugin(PluginPart("train", "sae", arguments: DictionaryStudy.training)),
            .plugin(DictionaryStudy.latentsPart),
        ],
        criteria: [
            Criterion(
                "explained", "variance of kept recordings that the dictionary explains", holds: 0.7, partly: 0.4,
                least: 500,
                because: "features of a dictionary that loses most of the activation say little of the model"),
            Criterion(
                "selective",
                "share of active latents that say one phoneme: precision at least 0.5 where 5 % of it are found",
                holds: 0.25, partly: 0.05, least: 20,
                because: "as for the layer's neurons; labels by chance are one in a hundred"),
        ],
        exhibits: [
            Exhibit("train", "explained", "How much of the variance is explained, as training goes on."),
            Exhibit("train", "density", "How often latents are active."),
            Exhibit("train", "splice", "What is written when the reconstruction takes the activation's place."),
            Exhibit("train", "summary", "How good the dictionary is.", folded: true),
            Exhibit("latents", "neurons", "The first 50 latents as the plugin has them.", folded: true),
            Exhibit("train", "method", "How it was trained.", folded: true),
        ],
        study: { try DictionaryStudy($0).findings() })
}

/// The study of a dictionary's latents.
struct DictionaryStudy {
    private let evidence: Evidence
    private let scan: FeatureScan

    init(_ evidence: Evidence) throws {
        self.evidence = evidence
        scan = try FeatureScan(evidence, "latents")
    }

    private static func hook(_ situation: Situation) -> String {
        let layers = Int(situation.model.dimensions?.nAudioLayer ?? 1)
        return "encoder.blocks.\(min(2, max(layers, 1) - 1))"
    }

    private static func folder(_ situation: Situation) -> String { situation.folder + "/dictionary" }

    static func training(_ situation: Situation) throws -> [(key: String, value: String)] {
        let width = Int(situation.model.dimensions?.nAudioState ?? 0)
        return [
            ("hook", hook(situation)), ("latents", "\(4 * width)"), ("k", "16"),
            ("steps", "\(situation.options.steps)"),
            // A quarter of few recordings, eight of many.
            ("evaluate", "\(min(8, situation.samples.samples.count / 4))"), ("out", folder(situation)),
        ]
    }

    static var latentsPart: PluginPart {
        var part = PluginPart("latents", "features", arguments: latents)
        part.after = "train"
        return part
    }

    private static func latents(_ situation: Situation) -> [(key: String, value: String)] {
        [
            ("hooks", hook(situation)), ("dictionary", folder(situation)), ("emit", "all"), ("kinds", "phoneme,word"),
            ("selective-precision", "\(FeatureScan.selectivePrecision)"),
            ("selective-recall", "\(FeatureScan.selectiveRecall)"), ("lift", "\(FeatureScan.selectiveLift)"),
            ("curves", "false"),
        ]
    }

    func findings() throws -> Findings {
        var findings = Findings()
        let summary = try evidence.table("train", "summary")
        let kept = summary.rows.first { summary.text($0, "of") == "kept recordings" }
        let explained = kept.map { summary.number($0, "explained_variance") } ?? .nan
        findings.measures = [
            Measure(
                "explained", explained, count: kept.flatMap { summary.integer($0, "positions") } ?? 0, "kept frames")
        ]
        let active = (0..<scan.count).filter { !(scan.examples[$0] ?? []).isEmpty }
        let selective = scan.selective(of: active)
        var sentence =
            "The dictionary of \(scan.count) latents explains \(explained.percent) of the variance of recordings that it "
            + "was not trained on; \(active.count) latents are active in some recording"
        if let reason = FeatureScan.reasonAgainstLabels(evidence.samples) {
            findings.measures.append(Measure("selective", missing: reason.text, reason.shortage))
            sentence += "."
        } else {
            findings.measures.append(Measure("selective", share: selective.count, of: active.count, "active latents"))
            sentence += ", and \(selective.count) of them are selective for a phoneme."
        }
        findings.sentence = sentence
        if !selective.isEmpty {
            findings.listening.append(
                scan.table("The clearest ones", "latent", Array(selective.prefix(12)), examples: 5))
        }
        findings.listening.append(scan.table("The first active ones", "latent", Array(active.prefix(30)), examples: 3))
        return findings
    }
}
