import PluginKit

/// The results, and how they are declared.
struct CompareReport {
    let comparison: Comparison
    let own, other: ActivationSample
    let model, otherModel: String
    /// Matched neurons of each hook point that are listed.
    let count: Int

    static let outputs: [Output] = [
        .text("method", title: "What was compared"),
        .matrix("cka", title: "Linear CKA", "This model's hook points down, the other's across"),
        .table("layers", title: "Hook points", "Each with the one of the other model that is most like it"),
        .table("neurons", title: "Matched neurons", "Those of each hook point whose correlation is largest"),
        .table(
            "probes", title: "Probes carried over", "Accuracy on speakers, or recordings, that were kept from learning"),
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
