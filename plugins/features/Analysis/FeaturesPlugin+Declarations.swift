import PluginKit

extension FeaturesPlugin {
    static let defaultHooks = "encoder.blocks.*.mlp.1"

    static let parameters: [Parameter] = [
        .text(
            "hooks", default: defaultHooks,
            "hook points, names or globs between commas; by default the neurons, or those of directions or dictionary"),
        .integer("k", default: 20, in: 1...1000, "recordings with the largest values that are kept of each feature"),
        .integer("bins", default: 10, in: 1...32, "ranges of activation, of equal width and of equal count"),
        .integer("reservoir", default: 4, in: 1...64, "examples of each range, a uniform sample"),
        .choice(
            "sides", default: "+", of: ["+", "both"],
            "the largest values alone, or the smallest as another side as well"),
        .boolean("curves", default: true, "whether to keep the activation in 1.5 s to each side of each maximum"),
        .path("directions", "a safetensors file with a matrix [n, d] named as a hook point: its rows are the features"),
        .path("dictionary", "a folder with a sparse dictionary: its latents are the features"),
        .text("show", "features whose ranges are drawn, numbers between commas"),
        .integer("first", default: 50, in: 0...10_000, "features of each hook point in the table for people"),
        .choice(
            "emit", default: "summary", of: ["summary", "all"], "tables for people, or all that was found, for an atlas"
        ),
        .text(
            "kinds", default: "phoneme,word,token,speaker,language",
            "what labels are looked for: phoneme, word, token, or columns of the data set"),
        .number(
            "threshold", default: 0.99, in: 0...1,
            "a feature listens where it is above this quantile of its values on the naming split"),
        .integer(
            "minimum", default: 10, in: 1...100_000,
            "frames above the threshold on each split, and of a label, below which nothing is named"),
        .integer(
            "permutations", default: 500, in: 1...10_000,
            "rotations of the labels, or new deals of a column's values, that the p-value is of"),
        .number("significance", default: 0.01, in: 0...1, "a label with a larger p-value is not given"),
        // A label that four frames in five have cannot reach it, however sure a feature is of it.
        .number(
            "lift", default: 1.25, in: 0...1000,
            "a label's precision is at least so many times its share of all frames, on both splits; 0 gives any label"),
        .number(
            "selective-precision", default: 0.5, in: 0...1,
            "a selective feature's label has this precision at least, where the feature has found selective-recall of it"
        ),
        .number(
            "selective-recall", default: 0.05, in: 0...1,
            "the share of a label's frames that a feature has to find to be judged; the same for all, rare or often"),
        .number(
            "selective-auc", default: 0, in: 0...1,
            "a selective feature's label has this AUC at least; 0 for any, since a sparse one ranks silence at random"),
        .integer("split-seed", default: 0, in: 0...1_000_000_000, "which speakers name and which score"),
        .text("speaker", default: "speaker,voice", "the columns, the first one that is there, that name the speaker"),
        .integer(
            "sample", default: 6000, in: 0...100_000,
            "frames of which all values are kept for the labels: a sample by hash, all where there are no more"),
        .integer(
            "sample-per-sound", default: 64, in: 0...10_000, "frames of each phoneme that are kept at least"),
        .text("columns", "columns whose values are told apart, between commas; empty for all with few values"),
        .integer("column-values", default: 64, in: 1...4096, "a column with more values than this is left out"),
    ]

    static let outputs: [Output] = [
        .table("neurons", title: "What they listen to", "The first features of a hook point, with the labels found"),
        .table(
            "selective", title: "Selective for a phoneme",
            "How many features of each hook point have a label that meets the criterion"),
        .vector(
            "share", title: "Share of features that are selective for a phoneme", axis: Axis("hook point"), plot: .bar),
        .matrix(
            "densities", title: "Features by density", unit: "features", axes: (Axis("hook point"), Axis("density")),
            plot: .bar, "Density: the share of valid frames in which a feature is above zero"),
        .matrix(
            "ranges", title: "Sounds by range of activation", unit: "share of the range's frames", plot: .bar,
            "A group for each range of equal width, from the highest down, and a bar for each sound"),
        .text("method", title: "What was done how"),
        .table("features", title: "Features", "Moments over all valid frames"),
        .table("examples", title: "Examples", "The recordings with the largest values of each feature"),
        .table("bins", title: "Ranges", "Edges and counts of the ranges of activation"),
        .table("bin_examples", title: "Examples of ranges", "A uniform sample of each range"),
        .table("bin_sounds", title: "Sounds of ranges", "How often each phoneme was heard in a range of equal width"),
        .table("histogram", title: "Histograms", "Counts on the grid of cells, without empty ones"),
        .table("columns", title: "By column", "Moments over the recordings with each value of a column"),
        .table("labels", title: "Labels", "Named on one split of the speakers, scored on the other"),
        .table("recordings", title: "Recordings", "What was heard"),
        .table("sounds", title: "Sounds", "Phonemes, words and tokens of the recordings"),
    ]
}
