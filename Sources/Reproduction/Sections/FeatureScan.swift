import Client
import Messages
import Results

/// What the plugin `features` found of one hook point, as its tables say it.
struct FeatureScan {
    struct Example: Sendable {
        let recording: Int
        let name: String
        /// Of the recording; of the decoder, the token's position.
        let frame: UInt64
        let value: Double
    }

    struct Label: Sendable {
        let label: String
        /// Frames by which the activation is behind the sound.
        let lag: Int
        /// Of the recordings that did not name it: above the threshold, and where ``selectiveRecall`` of the sound is found.
        let precision, precisionAtRecall: Double
        let lift, averagePrecision, areaUnderCurve: Double
    }

    struct Heard: Sendable {
        let kind: String
        let start, end: Double
        let label: String
    }

    /// A range of activation, from `low` to `high`.
    struct Bin: Sendable {
        let low, high: Double
        let count: Double
        var sounds: [(label: String, count: Double)] = []
        var examples: [Example] = []
    }

    let hook: String
    private(set) var count = 0
    /// The best recordings of each feature, best first.
    private(set) var examples: [Int: [Example]] = [:]
    /// The phoneme of each feature that has one.
    private(set) var labels: [Int: Label] = [:]
    private var heard: [Int: [Heard]] = [:]
    private(set) var names: [Int: String] = [:]

    /// - Throws: ``Unsuitable`` where the tables are not there.
    init(_ evidence: Evidence, _ part: String) throws {
        let features = try evidence.table(part, "features")
        hook = features.rows.first.map { features.text($0, "hook") } ?? ""
        for row in features.rows where features.text(row, "hook") == hook {
            if let feature = features.integer(row, "feature") { count = max(count, feature + 1) }
        }
        let recordings = try evidence.table(part, "recordings")
        for row in recordings.rows {
            if let number = recordings.integer(row, "recording") { names[number] = recordings.text(row, "name") }
        }
        let examples = try evidence.table(part, "examples")
        for row in examples.rows where examples.text(row, "side") == "+" {
            guard let feature = examples.integer(row, "feature"), let example = example(examples, row) else { continue }
            self.examples[feature, default: []].append(example)
        }
        let labels = try evidence.table(part, "labels")
        for row in labels.rows where labels.text(row, "side") == "+" && labels.text(row, "kind") == "phoneme" {
            guard let feature = labels.integer(row, "feature") else { continue }
            let label = Label(
                label: labels.text(row, "label"), lag: min(max(labels.integer(row, "lag") ?? 0, -1000), 1000),
                precision: labels.number(row, "precision"),
                precisionAtRecall: labels.number(row, "precision_at_recall"), lift: labels.number(row, "lift"),
                averagePrecision: labels.number(row, "average_precision"), areaUnderCurve: labels.number(row, "auc"))
            if let known = self.labels[feature], known.precisionAtRecall >= label.precisionAtRecall { continue }
            self.labels[feature] = label
        }
        let sounds = try evidence.table(part, "sounds")
        for row in sounds.rows {
            guard let recording = sounds.integer(row, "recording") else { continue }
            heard[recording, default: []].append(
                Heard(
                    kind: sounds.text(row, "kind"), start: sounds.number(row, "start"),
                    end: sounds.number(row, "end"), label: sounds.text(row, "label")))
        }
    }

    private func example(_ table: TableReader, _ row: [V1.PluginCell]) -> Example? {
        guard let recording = table.integer(row, "recording"), let frame = table.integer(row, "frame"),
            let position = UInt64(exactly: frame), let name = names[recording]
        else { return nil }
        return Example(recording: recording, name: name, frame: position, value: table.number(row, "value"))
    }

    /// The ranges of equal width of each feature that is ever active, the lowest first; a range that was not given is
    /// empty.
    func bins(_ evidence: Evidence, _ part: String) throws -> [Int: [Bin]] {
        var bins: [Int: [Int: Bin]] = [:]
        let table = try evidence.table(part, "bins")
        for row in table.rows where table.text(row, "side") == "+" && table.text(row, "kind") == "width" {
            guard let feature = table.integer(row, "feature"), let bin = table.integer(row, "bin"),
                (0..<1000).contains(bin)
            else { continue }
            bins[feature, default: [:]][bin] = Bin(
                low: table.number(row, "low"), high: table.number(row, "high"), count: table.number(row, "count"))
        }
        let sounds = try evidence.table(part, "bin_sounds")
        for row in sounds.rows where sounds.text(row, "side") == "+" {
            guard let feature = sounds.integer(row, "feature"), let bin = sounds.integer(row, "bin") else { continue }
            bins[feature]?[bin]?.sounds.append((sounds.text(row, "label"), sounds.number(row, "count")))
        }
        let examples = try evidence.table(part, "bin_examples")
        for row in examples.rows where examples.text(row, "side") == "+" && examples.text(row, "kind") == "width" {
            guard let feature = examples.integer(row, "feature"), let bin = examples.integer(row, "bin"),
                let example = example(examples, row)
            else { continue }
            bins[feature]?[bin]?.examples.append(example)
        }
        return bins.mapValues { bins in
            (0...(bins.keys.max() ?? 0)).map { number in
                var bin = bins[number] ?? Bin(low: .nan, high: .nan, count: 0)
                bin.sounds.sort { ($0.count, $1.label) > ($1.count, $0.label) }
                return bin
            }
        }
    }

    /// What is heard at a frame of a recording: the word and the sound in it, as far as they are known.
    func heard(_ example: Example) -> String {
        let time = (Double(example.frame) + 0.5) / 50
        let all = heard[example.recording] ?? []
        let found = ["phoneme", "word"].compactMap { kind in
            all.first { $0.kind == kind && $0.start <= time && time < $0.end }?.label
        }
        return found.isEmpty ? example.name : found.joined(separator: " · ")
    }

    /// The tokens of a recording in their order, each with its position.
    func tokens(_ recording: Int) -> [(position: Double, text: String)] {
        (heard[recording] ?? []).filter { $0.kind == "token" }.sorted { $0.start < $1.start }
            .map { ($0.start, $0.label) }
    }

    /// A second around a frame, with the frame brought out.
    func moment(_ example: Example, around: Double = 0.5) -> PlayableMoment {
        let middle = (Double(example.frame) + 0.5) / 50
        return PlayableMoment(
            label: heard(example),
            sound: SoundRequest(
                sample: example.name, start: max(middle - around, 0), end: middle + around, moment: example.frame))
    }

    /// Whether a feature's label meets the thresholds that a selective one meets.
    func isSelective(_ feature: Int) -> Bool {
        guard let label = labels[feature] else { return false }
        return label.precisionAtRecall >= Self.selectivePrecision && label.lift >= Self.selectiveLift
    }

    /// The selective ones of `features`, the most precise first.
    func selective(of features: some Sequence<Int>) -> [Int] {
        features.filter(isSelective).sorted {
            (labels[$0]?.precisionAtRecall ?? 0, $1) > (labels[$1]?.precisionAtRecall ?? 0, $0)
        }
    }

    /// An example of a feature to press: the sound that it answers to lies before the frame by the label's lag, and behind
    /// it where that is negative.
    private func moment(_ example: Example, of feature: Int) -> PlayableMoment {
        let lag = labels[feature]?.lag ?? 0
        let frame = lag < 0 ? example.frame + UInt64(-lag) : example.frame - min(UInt64(lag), example.frame)
        return moment(
            Example(recording: example.recording, name: example.name, frame: frame, value: example.value))
    }

    /// Features with their labels and examples to press.
    /// - Parameter noun: what a feature is called.
    func table(_ title: String, _ noun: String, _ features: [Int], examples count: Int) -> Listening {
        .table(
            ListeningTable(
                title: title,
                columns: [
                    noun, "label", "precision", "at recall \(Self.selectiveRecall.percent)", "lift", "AP", "AUC",
                    "examples",
                ],
                rows: features.map { feature in
                    let label = labels[feature]
                    return [
                        .number(Double(feature)), .text(label?.label ?? "–"), .number(label?.precision ?? .nan),
                        .number(label?.precisionAtRecall ?? .nan), .number(label?.lift ?? .nan),
                        .number(label?.averagePrecision ?? .nan), .number(label?.areaUnderCurve ?? .nan),
                        .sounds((examples[feature] ?? []).prefix(count).map { moment($0, of: feature) }),
                    ]
                }))
    }

    /// Recordings with known sounds that labels need: some name, others score, and a sound has to be in both.
    static let fewestLabelled = 20

    /// Why labels say nothing about these samples; nil where they do. Of too few recordings no label comes about,
    /// which is no sign that a feature has none.
    static func reasonAgainstLabels(_ samples: SampleList) -> (text: String, shortage: Shortage)? {
        let known = samples.samples.count { !$0.item.phonemes.isEmpty }
        guard known < fewestLabelled else { return nil }
        return (
            known == 0
                ? "of no recording it is known which sounds are in it and when, so no label can be scored; auscult align finds that out"
                : "of \(known) recordings it is known which sounds are in them and when, and labels need \(fewestLabelled)",
            Shortage(ofRecordings: known, needed: fewestLabelled)
        )
    }

    /// As the plugin `features` has it, whose README says why it is not a matter of AUC.
    static let selectivePrecision = 0.5
    static let selectiveRecall = 0.05
    /// A label's precision over its share of all frames.
    static let selectiveLift = 1.25

    /// The plugin over the neurons of a block's MLP, with everything that it finds.
    /// - Parameter shared: the folder that sections which need the same share.
    static func part(_ id: String, shared: String = "", hook: @escaping @Sendable (V1.Dimensions) -> String) -> Part {
        var part = PluginPart(id, "features") { situation in
            let hook = hook(situation.model.dimensions ?? .init())
            return [
                ("hooks", hook), ("emit", "all"), ("kinds", hook.hasPrefix("decoder") ? "token" : "phoneme,word"),
                ("selective-precision", "\(selectivePrecision)"), ("selective-recall", "\(selectiveRecall)"),
                ("lift", "\(selectiveLift)"),
                // What is not shown here.
                ("curves", "false"),
            ]
        }
        part.shared = shared
        return .plugin(part)
    }

    /// The post's layer, or the last one before the end of a model that has fewer.
    static func encoderHook(_ dimensions: V1.Dimensions) -> String {
        "encoder.blocks.\(min(2, max(Int(dimensions.nAudioLayer), 1) - 1)).mlp.1"
    }
}
