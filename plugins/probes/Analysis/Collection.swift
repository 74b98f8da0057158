import PluginKit

/// The rows of a data set, gathered in one pass: what is saved and merged.
///
/// At most ``limit`` rows are kept: those with the smallest hash of the seed, the recording and the frame. It is a sample
/// without replacement that depends on no order, so the sample of a union is the sample of the samples, and merged shards
/// hold to the bit what one run holds. A recording that was dropped cannot come back with a later window: what dropped it
/// is still there.
struct Collection: Codable, Sendable {
    struct Row: Codable, Sendable {
        var key: UInt64
        var recording: UInt64
        /// 0 for a row that stands for a recording.
        var frame: UInt64
        var label: String
        var speaker: String
        var type: String
        /// Of a frame: the features of all hook points, one behind the other.
        var values: [Float]
        /// Of a recording: sums or maxima so far, in double precision.
        var reduced: [Double]
        /// Frames in `reduced`.
        var count: Int
    }

    /// What it was gathered for: only collections of one description are put together.
    let description: String
    let limit: Int
    var seed: UInt64?
    var hooks: [String] = []
    /// Features at each hook point.
    var widths: [Int] = []
    var rows: [Row] = []
    /// Windows that were added, and of those the ones without a label.
    var windows = 0
    var unlabelled = 0
    /// Columns that were seen.
    var columns: [String] = []

    init(description: String, limit: Int) {
        self.description = description
        self.limit = limit
    }

    /// Rows in the order of the recordings, at most ``limit``.
    var sample: [Row] {
        var copy = self
        copy.shrink()
        return copy.rows.sorted { ($0.recording, $0.frame) < ($1.recording, $1.frame) }
    }

    /// As it is saved: the same bytes for the same rows, whatever the order they came in.
    var canonical: Collection {
        var copy = self
        copy.rows = sample
        return copy
    }

    /// Drops what is beyond the limit.
    mutating func shrink() {
        guard rows.count > limit else { return }
        rows.sort { ($0.key, $0.recording, $0.frame) < ($1.key, $1.recording, $1.frame) }
        rows.removeLast(rows.count - limit)
    }

    /// Notes the hook points of the first window, and holds the others' against them.
    mutating func admit(_ layers: [RecordingWindow.Layer]) throws {
        let (names, sizes) = (layers.map(\.hook), layers.map(\.features))
        if hooks.isEmpty {
            (hooks, widths) = (names, sizes)
        } else if hooks != names || widths != sizes {
            throw PluginError(
                .failed, "a window came with \(names) of \(sizes) features, and the first with \(hooks) of \(widths)")
        }
    }

    /// Takes in another's rows.
    /// - Throws: ``PluginKit/PluginError`` where it is of another description or seed, or damaged.
    mutating func merge(_ other: Collection, reduction: Reduction) throws {
        guard other.description == description, other.limit == limit else {
            throw PluginError(
                .invalidArgument,
                "the state is of \"\(other.description)\" (max_rows \(other.limit)), and this run of \"\(description)\" "
                    + "(max_rows \(limit))")
        }
        if let mine = seed, let theirs = other.seed, mine != theirs {
            throw PluginError(.invalidArgument, "the state was drawn with seed \(theirs), and this run with \(mine)")
        }
        guard hooks.isEmpty || other.hooks.isEmpty || (hooks == other.hooks && widths == other.widths) else {
            throw PluginError(
                .invalidArgument,
                "the state has the hook points \(other.hooks) of the sizes \(other.widths), and this run \(hooks) of "
                    + "\(widths)")
        }
        try other.check(reduction)
        seed = seed ?? other.seed
        if hooks.isEmpty { (hooks, widths) = (other.hooks, other.widths) }
        let (all, tooMany) = windows.addingReportingOverflow(other.windows)
        let (without, more) = unlabelled.addingReportingOverflow(other.unlabelled)
        guard !tooMany, !more else { throw PluginError(.invalidArgument, "the state counts too many windows") }
        (windows, unlabelled) = (all, without)
        columns = Set(columns).union(other.columns).sorted()
        if reduction.isByRecording {
            for row in other.rows { reduce(row, reduction) }
        } else {
            rows += other.rows
        }
        shrink()
    }

    /// Whether what came from a file can be: sizes that fit one another, numbers that are numbers.
    private func check(_ reduction: Reduction) throws {
        func damaged(_ why: String) -> PluginError {
            PluginError(.invalidArgument, "the saved state is damaged: \(why)")
        }
        guard hooks.count == widths.count, widths.allSatisfy({ (1...1 << 24).contains($0) }) else {
            throw damaged("\(hooks.count) hook points with the sizes \(widths)")
        }
        guard windows >= 0, unlabelled >= 0 else { throw damaged("\(windows) windows, \(unlabelled) without a label") }
        guard rows.count <= limit else { throw damaged("\(rows.count) rows, at most \(limit)") }
        guard rows.isEmpty || seed != nil else { throw damaged("rows without a seed") }
        let width = widths.reduce(0, +)
        for row in rows {
            let sizes = reduction.isByRecording ? (0, width) : (width, 0)
            guard row.values.count == sizes.0, row.reduced.count == sizes.1, row.count >= 1, row.count < 1 << 40 else {
                throw damaged(
                    "a row of recording \(row.recording) has \(row.values.count + row.reduced.count) features")
            }
            guard row.values.allSatisfy(\.isFinite), row.reduced.allSatisfy(\.isFinite) else {
                throw damaged("a row of recording \(row.recording) is not finite")
            }
        }
    }

    /// Adds what was reduced of one recording to what is there of it.
    mutating func reduce(_ row: Row, _ reduction: Reduction) {
        // Windows of one recording come one after the other, so it is the last row or far away.
        guard let place = rows.lastIndex(where: { $0.recording == row.recording }) else { return rows.append(row) }
        for index in row.reduced.indices where index < rows[place].reduced.count {
            switch reduction {
            case .maximum: rows[place].reduced[index] = max(rows[place].reduced[index], row.reduced[index])
            default: rows[place].reduced[index] += row.reduced[index]
            }
        }
        if reduction == .mean { rows[place].count += row.count }
    }
}
