import Atlas
import Foundation
import Pages

// What the page is given, as JSON. A recording's place on this machine is not: a page may be given to others. Its times are
// from the recording's start, as those of the sounds that it plays are, not from the beginning of the file that it lies in.

struct PageAbout: Encodable {
    struct Scan: Encodable {
        struct Pass: Encodable { var id: Int64, plugin: String, version: String, seed: String }
        struct Model: Encodable { var name: String }
        struct DataSet: Encodable { var recordings: Int }

        var scan: Pass
        var model: Model
        var dataSet: DataSet
        var hooks: [AtlasHook]
        var selective: [AtlasSelective]
        /// How many recordings were left out.
        var problems: Int

        init(_ detail: AtlasScanDetail) {
            scan = Pass(
                id: detail.scan.id, plugin: detail.scan.plugin, version: detail.scan.version, seed: detail.scan.seed)
            model = Model(name: (detail.model.name as NSString).lastPathComponent)
            dataSet = DataSet(recordings: detail.dataSet.recordings)
            (hooks, selective, problems) = (detail.hooks, detail.selective, detail.problems.count)
        }
    }

    /// The atlas' file, without its folder.
    var name: String
    /// Those that are complete, the newest first.
    var scans: [Scan]
    /// Of labels.
    var kinds: [String]
    /// Of heat maps, from little to much.
    var colours: [String]
}

struct PageList: Encodable {
    var total: Int
    var rows: [AtlasFeatureRow]
}

struct PageRecording: Encodable {
    var id: Int64
    var number: Int
    var name: String?
    var seconds: Double?
    var speaker: String?
    var language: String?
    var text: String?
    var split: String?

    init(_ recording: AtlasRecording) {
        (id, number, seconds) = (recording.id, recording.number, recording.seconds)
        name = recording.name.map { PagePaths.without(folders: $0) }
        (speaker, language, text, split) = (recording.speaker, recording.language, recording.text, recording.split)
    }
}

struct PageRecordingDetail: Encodable {
    var recording: PageRecording
    var sounds: [AtlasSound]
    /// The first of those that it excites, by rank.
    var features: [AtlasRecordingFeature]
    /// How many more there are.
    var more: Int
    /// All of it; nil where it is not known or too long.
    var excerpt: PageExcerpt?

    /// The most features that are listed.
    static let mostFeatures = 300

    /// - Parameter chosen: only features with these ids; nil for all.
    init(_ detail: AtlasRecordingDetail, features chosen: Set<Int64>? = nil) {
        recording = PageRecording(detail.recording)
        sounds = detail.sounds.map { detail.recording.ownTimes(of: $0) }
        let all = detail.features.filter { chosen?.contains($0.featureId) ?? true }
        more = max(0, all.count - Self.mostFeatures)
        features = all.prefix(Self.mostFeatures).map { feature in
            var feature = feature
            feature.seconds = detail.recording.own(feature.seconds)
            return feature
        }
        excerpt = PageExcerpt(of: detail.recording, at: nil)
    }
}

/// A feature's card. Recordings are in it once, however many examples they have.
struct PageCard: Encodable {
    struct Example: Encodable {
        var side: String
        var rank: Int
        var recording: Int64
        var frame: Int
        var seconds: Double?
        /// Positions a second; nil for tokens.
        var rate: Double?
        var value: Double
        /// The frame of the activation's first value.
        var first: Int?
        var activation: [Float]
        var excerpt: PageExcerpt?
    }

    /// What the feature does where a column of the data set has a value.
    struct Column: Encodable {
        var column: String
        var value: String
        var frames: Int?
        var mean: Float?
        var maximum: Float?
        var density: Float?

        init(_ column: AtlasColumn) {
            (self.column, value, frames) = (column.column, column.value, column.frames)
            (mean, maximum, density) = (
                column.mean.map(PageCard.short), column.maximum.map(PageCard.short), column.density.map(PageCard.short)
            )
        }
    }

    struct BinExample: Encodable {
        var recording: Int64
        var frame: Int
        var seconds: Double?
        var rate: Double?
        var value: Double
        var heard: [String]
        var excerpt: PageExcerpt?
    }

    struct Bin: Encodable {
        var side: String
        var kind: String
        var bin: Int
        var low: Double?
        var high: Double?
        var count: Int?
        var sounds: [String: Int]
        var examples: [BinExample]
    }

    var feature: AtlasFeature
    var labels: [AtlasLabel]
    var columns: [Column]
    var histogram: [AtlasHistogramCell]
    var examples: [Example]
    var bins: [Bin]
    var recordings: [String: PageRecording] = [:]

    /// - Parameters:
    ///   - examples: how many are taken along, of each side; nil for all.
    ///   - binExamples: the same of each bin.
    ///   - columnValues: columns with more values are left out; nil for none.
    init(
        _ card: AtlasCard, examples most: Int? = nil, binExamples mostOfBin: Int? = nil, columnValues: Int? = nil
    ) {
        (feature, labels, histogram) = (card.feature, card.labels, card.histogram)
        let values = Dictionary(grouping: card.columns, by: \.column).mapValues(\.count)
        columns = card.columns.filter { values[$0.column, default: 0] <= columnValues ?? .max }.map(Column.init)
        let taken = ["+", "-"].flatMap { side in
            let all = card.examples.filter { $0.example.side == side }
            return Array(all.prefix(most ?? all.count))
        }
        var recordings: [String: PageRecording] = [:]
        examples = taken.map { one in
            let example = one.example
            let seconds = one.recording.own(example.seconds)
            recordings[String(one.recording.id)] = PageRecording(one.recording)
            return Example(
                side: example.side, rank: example.rank, recording: one.recording.id, frame: example.frame,
                seconds: seconds, rate: example.rate(in: one.recording), value: example.value,
                first: example.curveFirst, activation: one.activation.map { Self.short(Double($0)) },
                excerpt: PageExcerpt(of: one.recording, at: seconds))
        }
        bins = card.bins.map { bin in
            let examples = bin.examples.prefix(mostOfBin ?? bin.examples.count).map { one in
                recordings[String(one.recording.id)] = PageRecording(one.recording)
                let seconds = one.recording.own(one.example.seconds)
                return BinExample(
                    recording: one.recording.id, frame: one.example.frame, seconds: seconds,
                    rate: one.example.rate(in: one.recording), value: one.example.value, heard: one.heard,
                    excerpt: PageExcerpt(of: one.recording, at: seconds))
            }
            return Bin(
                side: bin.bin.side, kind: bin.bin.kind, bin: bin.bin.bin, low: bin.bin.low, high: bin.bin.high,
                count: bin.bin.count, sounds: bin.bin.sounds, examples: examples)
        }
        self.recordings = recordings
    }

    /// Four digits of it: curves are kept in half precision, which has three, and nothing is written with more.
    private static func short(_ value: Double) -> Float {
        guard value != 0, value.isFinite else { return Float(value) }
        let scale = pow(10, 3 - floor(log10(abs(value))))
        guard scale.isFinite else { return 0 }
        return Float((value * scale).rounded() / scale)
    }

    /// Every sound that the card plays.
    var excerpts: [PageExcerpt] { examples.compactMap(\.excerpt) + bins.flatMap(\.examples).compactMap(\.excerpt) }

    /// Puts another in the place of each.
    mutating func mapExcerpts(_ change: (PageExcerpt) -> PageExcerpt) {
        for place in examples.indices { examples[place].excerpt = examples[place].excerpt.map(change) }
        for bin in bins.indices {
            for place in bins[bin].examples.indices {
                bins[bin].examples[place].excerpt = bins[bin].examples[place].excerpt.map(change)
            }
        }
    }
}

extension AtlasRecording {
    /// A time of its file as one of its own.
    fileprivate func own(_ seconds: Double?) -> Double? { seconds.map { $0 - (start ?? 0) } }

    /// What is heard in it, by its own time. A token has a position in place of a time.
    fileprivate func ownTimes(of sound: AtlasSound) -> AtlasSound {
        guard sound.kind != "token", let start else { return sound }
        var sound = sound
        (sound.start, sound.end) = (sound.start - start, sound.end - start)
        return sound
    }
}
