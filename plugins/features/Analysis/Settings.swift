import PluginKit

/// The arguments of a run of the analysis.
struct Settings: Sendable {
    enum Emission: String, Sendable { case summary, all }

    let hooks: [String]
    /// Examples of each feature's end.
    let top: Int
    let bins: Int
    /// Moments that are kept of each cell, and given of each bin.
    let reservoir: Int
    let bothSides: Bool
    let curves: Bool
    /// Frames whose values are kept, and of each sound at least.
    let sample: Int
    let samplePerSound: Int
    /// Columns that are told apart; empty for all that have few values.
    let columns: [String]
    let columnValues: Int
    /// Columns, the first one that is there, that name the speaker.
    let speaker: [String]
    let labels: LabelSettings
    let emission: Emission
    /// Features of each hook point in the summary.
    let first: Int
    /// Features whose bins are drawn.
    let show: [Int]

    /// - Parameter own: the hook points that directions or a dictionary are for, unless others are named.
    init(_ arguments: Arguments, hooks own: [String] = []) throws {
        let isDefault = try arguments.text("hooks") == FeaturesPlugin.defaultHooks
        hooks = isDefault && !own.isEmpty ? own : try arguments.list("hooks")
        guard !hooks.isEmpty else { throw PluginError(.invalidArgument, "hooks is empty, expected hook points") }
        top = try arguments.integer("k")
        bins = try arguments.integer("bins")
        reservoir = try arguments.integer("reservoir")
        bothSides = try arguments.choice("sides") == "both"
        curves = try arguments.boolean("curves")
        sample = try arguments.integer("sample")
        samplePerSound = try arguments.integer("sample-per-sound")
        columns = try arguments.list("columns")
        columnValues = try arguments.integer("column-values")
        speaker = try arguments.list("speaker")
        labels = try LabelSettings(arguments)
        emission = try arguments.choice("emit") == "all" ? .all : .summary
        first = try arguments.integer("first")
        show = try arguments.list("show").map {
            guard let number = Int($0), number >= 0 else {
                throw PluginError(.invalidArgument, "show has \"\($0)\", expected numbers of features")
            }
            return number
        }
        guard show.count <= 64 else {
            throw PluginError(.invalidArgument, "show has \(show.count) features, expected at most 64")
        }
    }

    var signs: [Float] { bothSides ? [1, -1] : [1] }

    /// Whether a hook point of the decoder may be among those that are wanted: a glob like `d*` may name one, and an
    /// encoder's begins with that word, or with Hugging Face's before it.
    var decodes: Bool { hooks.contains { !$0.hasPrefix("encoder.") && !$0.hasPrefix("model.encoder.") } }

    /// What is said in a recording is no label of it, unless it is asked for.
    func wants(column: String) -> Bool { columns.isEmpty ? column != "text" : columns.contains(column) }

    /// What the tables take for each feature.
    func bytesOfFeature(sounds: Int) -> Int {
        let cells = WidthGrid.cells + OctaveGrid.cells
        let side =
            top * (24 + (curves ? 2 * TopLists.span : 0)) + cells * (8 + 12 * reservoir)
            + WidthGrid.cells * 4 * ((sounds + 15) / 16 * 16)
        return signs.count * side + 2 * (sample + sample / 16 + 64) + 64
    }

    /// All that decides what is gathered: scans of the same are put together.
    var description: String {
        "hooks \(hooks.joined(separator: ",")); k \(top); reservoir \(reservoir); sides \(bothSides ? "both" : "+"); "
            + "curves \(curves); sample \(sample), \(samplePerSound) a sound; columns \(columns.joined(separator: ",")), "
            + "\(columnValues) values"
    }
}

/// How labels are found and judged.
struct LabelSettings: Sendable {
    /// "phoneme", "word", "token", or a column.
    let kinds: [String]
    /// The quantile of a feature's values on the naming split above which it counts as listening.
    let quantile: Double
    /// Frames above the threshold on each split, at least, and of a label on the naming split.
    let minimum: Int
    let permutations: Int
    /// A label stands where its p-value is at most this.
    let significance: Double
    /// And where its precision is at least this many times its share of all frames, on both splits; 0 for any.
    let lift: Double
    let splitSeed: UInt64
    /// A feature is selective for a phoneme where its label has this precision at this recall, and this AUC.
    let selectivePrecision, selectiveRecall, selectiveArea: Double

    init(_ arguments: Arguments) throws {
        kinds = try arguments.list("kinds")
        quantile = try arguments.number("threshold")
        minimum = try arguments.integer("minimum")
        permutations = try arguments.integer("permutations")
        significance = try arguments.number("significance")
        lift = try arguments.number("lift")
        splitSeed = UInt64(clamping: try arguments.integer("split-seed"))
        selectivePrecision = try arguments.number("selective-precision")
        selectiveRecall = try arguments.number("selective-recall")
        selectiveArea = try arguments.number("selective-auc")
    }

    /// Whether a lift is enough for a label. None is known of what a split has not at all.
    func isLift(_ value: Double) -> Bool {
        // Quotients of sums are rounded.
        lift == 0 || value >= lift * (1 - 1e-12)
    }
}
