import PluginKit
import PluginTranscripts

/// The results of an audit.
struct PaddingReport {
    let hooks: [(name: String, change: HookChange)]
    let windows, full: Int
    let transcripts: [PaddingAuditPlugin.MaskedTranscripts]

    static let outputs: [Output] = [
        .table("hooks", title: "What the encoder says otherwise without padding", "Over frames that overlap sound"),
        .matrix(
            "profile", title: "Relative change by the distance from the end of the sound",
            axes: (Axis("hook point"), Axis("frames before the end"))),
        .table("masks", title: "What is written without padding", "By who may not attend to it"),
        .table("transcripts", title: "Recordings whose transcript changes"),
        .text("summary", title: "In words"),
    ]

    func emit(_ results: Results) throws {
        try results.emit(
            "hooks",
            .table(
                columns: ["hook", "relative", "cosine", "at_the_end", "before", "largest_frame_moves", "frames"],
                rows: hooks.map { name, change in
                    [
                        .text(name), .number(change.relative), .number(change.meanCosine),
                        .number(change.relative(in: 0)),
                        .number(change.relative(in: HookChange.bounds.count - 1)), .number(change.shareMoved),
                        .number(Double(change.frames.reduce(0, +))),
                    ]
                }), mayBeNaN: true)
        if !hooks.isEmpty {
            let bins = HookChange.bounds.indices
            let lower = [0] + HookChange.bounds
            let labels = bins.map {
                HookChange.bounds[$0] == .max ? "\(lower[$0])+" : "\(lower[$0])–\(HookChange.bounds[$0])"
            }
            try results.emit(
                "profile",
                .matrix(
                    hooks.flatMap { hook in bins.map { hook.change.relative(in: $0) } }, rows: hooks.count,
                    columns: bins.count,
                    axes: [
                        Axis("hook point", labels: hooks.map(\.name)), Axis("frames before the end", labels: labels),
                    ]),
                mayBeNaN: true)
        }
        if !transcripts.isEmpty { try emitTranscripts(results) }
        try results.emit("summary", .text(summary))
    }

    private func errors(_ text: (PaddingAuditPlugin.MaskedTranscripts) -> String) -> WordErrors {
        transcripts.map { WordErrors(Words.of($0.reference), Words.of(text($0))) }.total
    }

    private func differing(_ mask: PaddingMask) -> Int {
        transcripts.count { Words.of($0.texts[mask.rawValue] ?? "") != Words.of($0.unchanged) }
    }

    private func emitTranscripts(_ results: Results) throws {
        func row(_ name: String, _ errors: WordErrors, _ differing: Int) -> [Cell] {
            [
                .text(name), .number(errors.rate), .number(errors.boundedRate), .number(Double(differing)),
                .number(Double(transcripts.count)),
            ]
        }
        try results.emit(
            "masks",
            .table(
                columns: ["masked", "wer", "bounded_wer", "differing", "recordings"],
                rows: [row("nothing", errors(\.unchanged), 0)]
                    + PaddingMask.allCases.map { mask in
                        row(mask.rawValue, errors { $0.texts[mask.rawValue] ?? "" }, differing(mask))
                    }), mayBeNaN: true)
        var rows: [[Cell]] = []
        for transcript in transcripts {
            for mask in PaddingMask.allCases {
                let alignment = WordAlignment(transcript.unchanged, transcript.texts[mask.rawValue] ?? "")
                guard alignment.errors > 0 else { continue }
                rows.append([.text(transcript.name), .text(mask.rawValue), .text(alignment.difference)])
            }
        }
        try results.emit("transcripts", .table(columns: ["recording", "masked", "difference"], rows: rows))
    }

    private var summary: String {
        var parts = ["\(windows) windows with padding\(full > 0 ? "; \(full) without it were passed over" : "")."]
        if let largest = hooks.max(by: { $0.change.relative < $1.change.relative }), largest.change.relative.isFinite {
            parts.append(
                "Without padding \(largest.name) changes most, by \(percent(largest.change.relative)) of its length over frames that "
                    + "overlap sound.")
        }
        if !transcripts.isEmpty {
            let own = transcripts.count(where: \.isReferenceOwn)
            parts.append(
                "Word error rate \(percent(errors(\.unchanged).rate)) of \(transcripts.count) recordings\(own > 0 ? ", \(own) of them against what is written unchanged" : "")."
            )
            for mask in PaddingMask.allCases {
                parts.append(
                    "Masked \(mask.rawValue): \(differing(mask)) transcripts differ, "
                        + "\(percent(errors { $0.texts[mask.rawValue] ?? "" }.rate)).")
            }
        }
        return parts.joined(separator: " ")
    }
}
