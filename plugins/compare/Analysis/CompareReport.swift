import PluginKit

/// The results, and how they are declared.
struct CompareReport {
    let comparison: Comparison
    let own, other: ActivationSample
    let model, otherModel: String
    /// Matched neurons of each hook point that are listed.
    let count: Int
    /// Where they were asked for.
    var crosscoders: [SharedDictionary] = []

    struct SharedDictionary {
        let pair: Comparison.Pair
        let crosscoder: Crosscoder
        /// The other's frames in another order.
        let null: Crosscoder
    }

    /// Ranges of a latent's share that the picture has.
    private static let bins = 20

    static let outputs: [Output] = [
        .text("method", title: "What was compared"),
        .matrix("cka", title: "Linear CKA", "This model's hook points down, the other's across"),
        .table("layers", title: "Hook points", "Each with the one of the other model that is most like it"),
        .table("neurons", title: "Matched neurons", "Those of each hook point whose correlation is largest"),
        .table(
            "probes", title: "Probes carried over", "Accuracy on speakers, or recordings, that were kept from learning"),
        .table(
            "crosscoder", title: "Shared dictionaries",
            "Latents of both models and of one alone, and how much of each they explain"),
        .matrix(
            "crosscoder-share", title: "Where latents are",
            "Living latents by the part of their direction that is this model's: 1 is this one alone, 0 the other"),
        .table("latents", title: "Shared latents", "Those of both models that are active most often"),
        .scalar("frames", title: "Frames of this run"),
    ]

    func tell(_ results: Results) throws {
        try results.emit(
            "method",
            .text(
                "\(model) and \(otherModel) at the same \(comparison.rows) frames of the same sound. CKA is linear; its null has "
                    + "the frames of one model in another order."))
        try results.emit(
            "cka",
            .matrix(
                comparison.pairs.flatMap { $0.map(\.alignment) }, rows: own.hooks.count, columns: other.hooks.count,
                axes: [
                    Axis("\(model)", labels: own.hooks),
                    Axis(otherModel == model ? "\(otherModel), too" : otherModel, labels: other.hooks),
                ]), mayBeNaN: true)
        try tellLayers(results)
        try results.emit(
            "neurons",
            .table(
                columns: ["hook", "index", "other hook", "other index", "correlation", "mutual"],
                rows: comparison.details.flatMap { detail in
                    detail.matches.matches.prefix(count).map { match in
                        [
                            .text(own.hooks[detail.pair.own]), .number(Double(match.own)),
                            .text(other.hooks[detail.pair.other]), .number(Double(match.other)),
                            .number(match.correlation), .text(match.isMutual ? "yes" : "no"),
                        ]
                    }
                }))
        try tellProbes(results)
        if !crosscoders.isEmpty { try tellCrosscoders(results) }
    }

    private func tellCrosscoders(_ results: Results) throws {
        func names(_ one: SharedDictionary) -> [Cell] {
            [.text(own.hooks[one.pair.own]), .text(other.hooks[one.pair.other])]
        }
        try results.emit(
            "crosscoder",
            .table(
                columns: [
                    "hook", "other hook", "latents", "living", "active", "explained", "other's explained", "shared",
                    "this alone", "other alone", "agreeing", "null shared", "null agreeing", "null explained",
                    "trained",
                    "judged",
                ],
                rows: crosscoders.map { one in
                    let (found, counts) = (one.crosscoder, one.crosscoder.counts)
                    return names(one) + [
                        .number(Double(found.settings.latents)), .number(Double(found.living.count)),
                        .number(found.active), .number(found.explained.own), .number(found.explained.other),
                        .number(Double(counts.shared)), .number(Double(counts.own)), .number(Double(counts.other)),
                        .number(Double(found.agreeing)), .number(Double(one.null.counts.shared)),
                        .number(Double(one.null.agreeing)), .number(one.null.explained.own),
                        .number(Double(found.trained)), .number(Double(found.judged)),
                    ]
                }), mayBeNaN: true)
        try results.emit(
            "crosscoder-share",
            .matrix(
                crosscoders.flatMap { $0.crosscoder.histogram(Self.bins) }, rows: crosscoders.count,
                columns: Self.bins,
                axes: [
                    Axis("hook point", labels: crosscoders.map { own.hooks[$0.pair.own] }),
                    Axis("share of \(model)", first: 0.5 / Double(Self.bins), step: 1 / Double(Self.bins)),
                ]))
        try results.emit(
            "latents",
            .table(
                columns: ["hook", "latent", "share", "cosine", "agreement", "density", "label", "precision", "base"],
                rows: crosscoders.flatMap(sharedLatents)), mayBeNaN: true)
    }

    private func sharedLatents(_ one: SharedDictionary) -> [[Cell]] {
        let shared = one.crosscoder.living.filter { Crosscoder.shared.contains($0.share) }
        let often = shared.sorted { (-$0.density, $0.index) < (-$1.density, $1.index) }
        return often.prefix(count).map { latent in
            [
                .text(own.hooks[one.pair.own]), .number(Double(latent.index)), .number(latent.share),
                .number(latent.cosine), .number(latent.agreement), .number(latent.density), .text(latent.label),
                .number(latent.precision), .number(latent.base),
            ]
        }
    }

    private func tellLayers(_ results: Results) throws {
        try results.emit(
            "layers",
            .table(
                columns: [
                    "hook", "most like", "CKA", "null", "mean correlation", "null correlation", "above 0.5", "mutual",
                ],
                rows: comparison.details.map { detail in
                    [
                        .text(own.hooks[detail.pair.own]), .text(other.hooks[detail.pair.other]),
                        .number(detail.pair.alignment), .number(detail.pair.null), .number(detail.matches.mean),
                        .number(detail.nullMatches.mean), .number(detail.matches.share(0.5)),
                        .number(detail.matches.mutualShare),
                    ]
                }), mayBeNaN: true)
    }

    private func tellProbes(_ results: Results) throws {
        let rows = comparison.details.compactMap { detail -> [Cell]? in
            guard let probe = detail.probe else { return nil }
            return [
                .text(own.hooks[detail.pair.own]), .text(other.hooks[detail.pair.other]), .number(probe.own),
                .number(probe.other), .number(probe.carried), .number(probe.null), .number(probe.majority),
                .number(Double(probe.classes)), .number(Double(probe.trained)), .number(Double(probe.judged)),
            ]
        }
        guard !rows.isEmpty else { return }
        try results.emit(
            "probes",
            .table(
                columns: [
                    "hook", "other hook", "own", "other's own", "carried", "null", "majority", "classes", "trained",
                    "judged",
                ], rows: rows))
    }
}
