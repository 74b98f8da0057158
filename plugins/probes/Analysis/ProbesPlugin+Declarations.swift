import PluginKit

extension ProbesPlugin {
    static let parameters: [Parameter] = [
        .column(
            "target", default: "language", or: ["is_french", "is_speech", "phoneme"], values: 2,
            "a column of the data set, or is_french, is_speech, or phoneme (the sound at each frame)"),
        .text(
            "hooks", default: "encoder.blocks.*", "hook points, names or globs between commas: positions by features"),
        .choice(
            "reduce", default: "mean", of: ["mean", "max", "frames"],
            "one row a recording (mean or max over its valid frames), or its frames; phoneme is always by frame"),
        .integer("every", default: 1, in: 1...1_000_000, "of frames, take each n-th"),
        .text("speaker", default: "speaker,voice", "the columns, the first one that is there, that name the speaker"),
        .integer(
            "max_rows", default: 10_000, in: 10...200_000,
            "rows that are kept: a sample by hash, the same for any order"),
        .number("l2", default: 0, in: 0...1e6, "the penalty λ in mean cross-entropy + λ/2 ‖W‖²; 0 to choose it"),
        .path("out", "a safetensors file for the probes; empty for the plugin's own folder"),
    ]

    static let outputs: [Output] = [
        .table("layers", title: "Probes", "All figures of each hook point, on the test part"),
        .matrix(
            "accuracy", title: "Accuracy per hook point", plot: .line,
            "The probe, the control task and the majority baseline; one line each"),
        .matrix(
            "confusion", title: "Confusion", unit: "rows",
            axes: (Axis("true"), Axis("answered")),
            "Of the hook point with the smallest loss on the validation part; rows of the test part"),
        .text("method", title: "What was split how", "The split, the control task and what was left out"),
    ]
}
