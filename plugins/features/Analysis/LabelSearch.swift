import PluginKit

/// Labels of every kind for all features of a hook point.
struct LabelSearch {
    let scan: Scan
    let settings: Settings
    let bySpeaker: SpeakerSplit
    let byRecording: SpeakerSplit
    private let tokens: TokenTexts
    /// The number of the sound that each label is, or −1.
    private let soundOfLabel: [Int]

    init(_ scan: Scan, _ settings: Settings, _ tokens: TokenTexts) {
        self.scan = scan
        self.settings = settings
        self.tokens = tokens
        soundOfLabel = scan.recordings.labels.names.map { scan.recordings.sounds.find($0).map(Int.init) ?? -1 }
        bySpeaker = SpeakerSplit(
            scan.recordings, speakerColumns: settings.speaker, bySpeaker: true, seed: settings.labels.splitSeed)
        byRecording = SpeakerSplit(
            scan.recordings, speakerColumns: settings.speaker, bySpeaker: false, seed: settings.labels.splitSeed)
    }

    /// In the order of the features, and for each by side and kind.
    func labels(_ hook: HookScan, _ checkpoint: () throws -> Void) throws -> [FeatureLabel] {
        let sample = hook.sample
        guard sample.count > 0 else { return [] }
        let studies = tasks(hook).map { Labelling($0, settings.labels) }.filter(\.isPossible)
        guard !studies.isEmpty else { return [] }
        var labels: [FeatureLabel] = []
        // Rows are in memory one behind the other, so features are taken a block at a time.
        let block = 64
        var turned = [UInt16](repeating: 0, count: block * sample.count)
        for start in stride(from: 0, to: hook.features, by: block) {
            try checkpoint()
            let width = min(block, hook.features - start)
            for row in 0..<sample.count {
                let values = sample.row(row)
                for index in 0..<width { turned[index * sample.count + row] = values[start + index] }
            }
            turned.withUnsafeBufferPointer { turned in
                for index in 0..<width {
                    let bits = UnsafeBufferPointer(
                        rebasing: turned[index * sample.count..<(index + 1) * sample.count])
                    for side in hook.sides where hook.fires(start + index, on: side) {
                        let column = FeatureColumn(bits, sign: side.sign)
                        labels += studies.compactMap { label(start + index, side.sign, column, $0) }
                    }
                }
            }
        }
        return labels
    }

    private func label(_ feature: Int, _ sign: Float, _ column: FeatureColumn, _ study: Labelling) -> FeatureLabel? {
        guard let found = study.label(column), found.figures.pValue <= settings.labels.significance,
            settings.labels.isLift(found.figures.lift)
        else { return nil }
        let figures = found.figures
        return FeatureLabel(
            feature: feature, sign: sign, kind: study.task.kind, label: study.task.names[found.label],
            threshold: Double(sign * FeatureColumn.value(figures.threshold)), lag: study.task.lags[found.lag],
            averagePrecision: figures.averagePrecision, precisionAtRecall: figures.precisionAtRecall,
            precision: figures.precision, recall: figures.recall, f1: figures.f1,
            areaUnderCurve: figures.areaUnderCurve, mutualInformation: figures.mutualInformation,
            selectivity: figures.selectivity, pValue: figures.pValue, base: figures.base, lift: figures.lift,
            namedFrames: figures.namedFrames, scoredFrames: figures.scoredFrames,
            namedPrecision: figures.namedPrecision)
    }

    // MARK: - Tasks

    /// 100 ms to each side.
    static let lags = Array(-5...5)

    func tasks(_ hook: HookScan) -> [LabelTask] {
        let salt = scan.salt
        let moments = hook.sample.keys.map { FrameMoment(key: $0, salt: salt) }
        let order = moments.indices.sorted {
            (moments[$0].recording, moments[$0].frame) < (moments[$1].recording, moments[$1].frame)
        }
        return settings.labels.kinds.map { kind in
            let split = settings.speaker.contains(kind) ? byRecording : bySpeaker
            let weights = weights(hook, moments, split)
            let isTimed = ["phoneme", "word"].contains(kind)
            var unit: ((Int) -> String)?
            if !isTimed, kind != "token" {
                let unitOfMoment = self.unit(kind, split)
                unit = { unitOfMoment(moments[$0]) }
            }
            return LabelTask(
                kind: kind, rows: order, lags: isTimed ? Self.lags : [0],
                parts: { split.parts[moments[$0].recording] }, weights: weights, minimum: settings.labels.minimum,
                label: { label(kind, moments[$0], lag: $1, hook) }, unit: unit)
        }
    }

    /// What a column's values are dealt out among for the null: speakers, where none of the scoring ones has two
    /// values, and otherwise recordings. A speaker's own label is by recording.
    private func unit(_ column: String, _ split: SpeakerSplit) -> (FrameMoment) -> String {
        let speakers = scan.recordings.all.mapValues { $0.speaker(settings.speaker) }
        var values: [String: Set<String>] = [:]
        for (number, recording) in scan.recordings.all where split.parts[number] == .score {
            guard let speaker = speakers[number], !speaker.isEmpty else { continue }
            if let value = recording.columns[column], !value.isEmpty { values[speaker, default: []].insert(value) }
        }
        let isOfSpeakers = !settings.speaker.contains(column) && values.values.allSatisfy { $0.count == 1 }
        return { moment in
            let speaker = isOfSpeakers ? speakers[moment.recording] ?? "" : ""
            return speaker.isEmpty ? "recording \(moment.recording)" : "speaker \(speaker)"
        }
    }

    /// nil where the recording says nothing of this kind, "" where nothing is heard.
    func label(_ kind: String, _ moment: FrameMoment, lag: Int, _ hook: HookScan) -> String? {
        guard let recording = scan.recordings[moment.recording] else { return nil }
        switch kind {
        case "phoneme", "word":
            let sounds = kind == "phoneme" ? recording.phonemes : recording.words
            guard hook.rate > 0, !sounds.isEmpty else { return nil }
            let time = recording.origin + (Double(moment.frame) + 0.5) / hook.rate - 0.02 * Double(lag)
            return sounds.place(at: time).map { scan.recordings.labels[sounds[$0].label] } ?? ""
        case "token":
            guard hook.rate == 0, scan.tokensOfWindow > 0 else { return nil }
            let (window, place) = Int(moment.frame).quotientAndRemainder(dividingBy: scan.tokensOfWindow)
            guard let read = recording.tokens[window], read.indices.contains(place) else { return nil }
            return tokens[read[place]]
        default:
            return recording.columns[kind].flatMap { $0.isEmpty ? nil : $0 }
        }
    }

    /// [part][row]: how many frames of the data a sampled frame stands for: those of its sound and part, over the
    /// sampled ones among them. 1 where all frames were kept.
    func weights(_ hook: HookScan, _ moments: [FrameMoment], _ split: SpeakerSplit) -> [[Double]] {
        let sample = hook.sample
        let ones = [Double](repeating: 1, count: sample.count)
        // Tokens have no sounds, so each stands for as many as any other.
        guard hook.rate > 0, UInt64(sample.count) < hook.all.frames else { return [ones, ones] }
        let sounds = scan.recordings.sounds.names.count
        var all = [[Double]](repeating: [Double](repeating: 0, count: sounds + 1), count: 2)
        for (number, recording) in scan.recordings.all {
            guard let part = split.parts[number] else { continue }
            for (sound, count) in soundCounts(recording, rate: hook.rate) {
                all[Int(part.rawValue)][sound + 1] += count
            }
        }
        var kept = [[Double]](repeating: [Double](repeating: 0, count: sounds + 1), count: 2)
        for (row, moment) in moments.enumerated() {
            guard let part = split.parts[moment.recording] else { continue }
            kept[Int(part.rawValue)][Int(sample.sounds[row]) + 1] += 1
        }
        return (0..<2).map { part in
            sample.sounds.map { sound in
                let place = Int(sound) + 1
                return kept[part][place] > 0 ? all[part][place] / kept[part][place] : 0
            }
        }
    }

    /// How many of a recording's positions each sound has, by its number; −1 for none.
    private func soundCounts(_ recording: Recordings.Recording, rate: Double) -> [Int: Double] {
        var counts: [Int: Double] = [:]
        for position in 0..<Int((Double(recording.frames) * rate / 50).rounded()) {
            let place = recording.phonemes.place(at: recording.origin + (Double(position) + 0.5) / rate)
            counts[place.map { soundOfLabel[Int(recording.phonemes[$0].label)] } ?? -1, default: 0] += 1
        }
        return counts
    }
}
