import Foundation
import PluginKit

/// What a scan has found, as results.
struct FeatureFindings {
    let scan: Scan
    let settings: Settings
    let seed: UInt64
    let host: PluginKit.Host
    let results: Results

    let search: LabelSearch
    let tokens: TokenTexts

    init(_ scan: Scan, _ settings: Settings, seed: UInt64, _ host: PluginKit.Host, _ results: Results) {
        self.scan = scan
        self.settings = settings
        self.seed = seed
        self.host = host
        self.results = results
        tokens = TokenTexts(host)
        for hook in scan.hooks { hook.sample.shrink() }
        search = LabelSearch(scan, settings, tokens)
    }

    func emit() throws {
        var labels: [[FeatureLabel]] = []
        for (index, hook) in scan.hooks.enumerated() {
            host.progress(Double(index), of: Double(scan.hooks.count), unit: "hook points")
            labels.append(try search.labels(hook) { try host.checkCancellation() })
        }
        try emitSummary(labels)
        guard settings.emission == .all else { return }
        for (hook, labels) in zip(scan.hooks, labels) {
            try host.checkCancellation()
            try emitFeatures(hook)
            try emitExamples(hook)
            try emitBins(hook)
            try emitHistogram(hook)
            try emitColumns(hook)
            try emitLabels(hook, labels)
        }
        try emitRecordings()
    }

    /// Seconds of a frame from the beginning of its recording's file; NaN for tokens.
    func seconds(_ frame: UInt64, of recording: UInt64, _ hook: HookScan) -> Double {
        guard hook.rate > 0, let known = scan.recordings[recording] else { return .nan }
        return known.origin + (Double(frame) + 0.5) / hook.rate
    }

    private func emitFeatures(_ hook: HookScan) throws {
        var table = TableOutput(
            "features", ["hook", "feature", "name", "frames", "mean", "variance", "minimum", "maximum", "density"],
            results)
        for feature in 0..<hook.features {
            let moments = hook.all.moments(feature)
            let smallest = hook.all.frames > 0 ? Double(hook.smallest[feature]) : .nan
            try table.append([
                Cell(hook.hook), Cell(feature), Cell(hook.names.isEmpty ? "" : hook.names[feature]),
                Cell(hook.all.frames), Cell(moments.mean), Cell(moments.variance), Cell(smallest),
                Cell(moments.largest), Cell(moments.density),
            ])
        }
        try table.flush()
    }

    private func emitExamples(_ hook: HookScan) throws {
        var table = TableOutput(
            "examples",
            [
                "hook", "feature", "side", "rank", "recording", "frame", "seconds", "value", "curve_first", "curve",
            ], results)
        for side in hook.sides {
            for feature in 0..<hook.features {
                for (rank, entry) in side.examples(feature).enumerated() {
                    try table.append([
                        Cell(hook.hook), Cell(feature), Cell(side.name), Cell(rank + 1), Cell(entry.recording),
                        Cell(entry.frame), Cell(seconds(UInt64(entry.frame), of: entry.recording, hook)),
                        Cell(side.sign * entry.value),
                        entry.curve.isEmpty ? Cell(Double.nan) : Cell(Int(entry.frame) - entry.before),
                        Cell(Self.base64(entry.curve)),
                    ])
                }
            }
        }
        try table.flush()
    }

    static func base64(_ curve: [UInt16]) -> String {
        Data(curve.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
            .base64EncodedString()
    }

    private func emitBins(_ hook: HookScan) throws {
        var bins = TableOutput("bins", ["hook", "feature", "side", "kind", "bin", "low", "high", "count"], results)
        var examples = TableOutput(
            "bin_examples",
            ["hook", "feature", "side", "kind", "bin", "recording", "frame", "seconds", "value"], results)
        var sounds = TableOutput("bin_sounds", ["hook", "feature", "side", "bin", "label", "count"], results)
        let salt = scan.salt
        for side in hook.sides {
            for feature in 0..<hook.features {
                let start: [Cell] = [Cell(hook.hook), Cell(feature), Cell(side.name)]
                for ranges in ranges(side, hook, feature) {
                    for (number, bin) in ranges.bins.enumerated() {
                        let place = start + [Cell(ranges.kind.rawValue), Cell(number)]
                        try bins.append(place + [Cell(bin.low), Cell(bin.high), Cell(bin.count)])
                        for (key, value) in ranges.moments(bin, side: side, feature: feature) {
                            let moment = FrameMoment(key: key, salt: salt)
                            try examples.append(
                                place + [
                                    Cell(moment.recording), Cell(moment.frame),
                                    Cell(seconds(moment.frame, of: moment.recording, hook)), Cell(side.sign * value),
                                ])
                        }
                        guard ranges.kind == .width else { continue }
                        for (label, count) in self.sounds(bin, side, feature) {
                            try sounds.append(start + [Cell(number), Cell(label), Cell(count)])
                        }
                    }
                }
            }
        }
        try bins.flush()
        try examples.flush()
        try sounds.flush()
    }

    /// Nothing for a feature that is never above zero.
    func ranges(_ side: SideScan, _ hook: HookScan, _ feature: Int) -> [Ranges] {
        let largest = hook.largest(feature, on: side)
        guard largest > 0, largest.isFinite else { return [] }
        return Ranges.Kind.allCases.map {
            Ranges($0, side: side, feature: feature, bins: settings.bins, largest: Double(largest))
        }
    }

    /// The phonemes of a range and how often each was heard, the most frequent first.
    func sounds(_ bin: Ranges.Bin, _ side: SideScan, _ feature: Int) -> [(label: String, count: UInt64)] {
        let names = scan.recordings.sounds.names
        return names.indices.prefix(side.soundStride).map { sound in
            let count = bin.cells.reduce(UInt64(0)) {
                $0 + UInt64(side.sounds[(feature * WidthGrid.cells + $1) * side.soundStride + sound])
            }
            return (names[sound], count)
        }.filter { $0.count > 0 }.sorted { ($1.count, $0.label) < ($0.count, $1.label) }
    }

    private func emitHistogram(_ hook: HookScan) throws {
        var table = TableOutput("histogram", ["hook", "feature", "side", "low", "high", "count"], results)
        for side in hook.sides {
            for feature in 0..<hook.features {
                let exponent = Int(side.exponents[feature])
                for cell in 0..<WidthGrid.cells {
                    let count = side.width.counts[feature * WidthGrid.cells + cell]
                    guard count > 0 else { continue }
                    try table.append([
                        Cell(hook.hook), Cell(feature), Cell(side.name),
                        Cell(WidthGrid.lowerEdge(cell, exponent: exponent)),
                        Cell(WidthGrid.lowerEdge(cell + 1, exponent: exponent)), Cell(count),
                    ])
                }
            }
        }
        try table.flush()
    }

    private func emitColumns(_ hook: HookScan) throws {
        var table = TableOutput(
            "columns",
            ["hook", "feature", "column", "value", "frames", "mean", "variance", "maximum", "density"], results)
        let groups = hook.groups.sorted { $0.key < $1.key }
        for feature in 0..<hook.features {
            for (group, sums) in groups {
                let moments = sums.moments(feature)
                try table.append([
                    Cell(hook.hook), Cell(feature), Cell(group.column), Cell(group.value), Cell(sums.frames),
                    Cell(moments.mean), Cell(moments.variance), Cell(moments.largest), Cell(moments.density),
                ])
            }
        }
        try table.flush()
    }

    private func emitLabels(_ hook: HookScan, _ labels: [FeatureLabel]) throws {
        var table = TableOutput(
            "labels",
            [
                "hook", "feature", "side", "kind", "label", "threshold", "lag", "precision", "recall", "f1", "auc",
                "mutual_information", "selectivity", "p_value", "named_frames", "scored_frames", "named_precision",
                "base", "lift", "average_precision", "precision_at_recall",
            ], results)
        for label in labels {
            try table.append([
                Cell(hook.hook), Cell(label.feature), Cell(label.sign > 0 ? "+" : "-"), Cell(label.kind),
                Cell(label.label), Cell(label.threshold), Cell(label.lag), Cell(label.precision), Cell(label.recall),
                Cell(label.f1), Cell(label.areaUnderCurve), Cell(label.mutualInformation), Cell(label.selectivity),
                Cell(label.pValue), Cell(label.namedFrames), Cell(label.scoredFrames), Cell(label.namedPrecision),
                Cell(label.base), Cell(label.lift), Cell(label.averagePrecision), Cell(label.precisionAtRecall),
            ])
        }
        try table.flush()
    }

    private func emitRecordings() throws {
        var table = TableOutput(
            "recordings", ["recording", "name", "seconds", "frames", "speaker", "language", "text", "split"], results)
        var sounds = TableOutput("sounds", ["recording", "kind", "start", "end", "label"], results)
        for number in scan.recordings.numbers {
            guard let recording = scan.recordings[number] else { continue }
            try table.append([
                Cell(number), Cell(recording.name), Cell(recording.seconds), Cell(recording.frames),
                Cell(recording.speaker(settings.speaker)), Cell(recording.columns["language"] ?? ""),
                Cell(text(recording)), Cell(search.bySpeaker.parts[number]?.title ?? ""),
            ])
            for (kind, list) in [("phoneme", recording.phonemes), ("word", recording.words)] {
                for sound in list {
                    try sounds.append([
                        Cell(number), Cell(kind), Cell(sound.start), Cell(sound.end),
                        Cell(scan.recordings.labels[sound.label]),
                    ])
                }
            }
            // Tokens have no times: they last from their position to the next.
            for (window, read) in recording.tokens.sorted(by: { $0.key < $1.key }) {
                for (place, token) in read.enumerated() {
                    let position = Double(window * scan.tokensOfWindow + place)
                    try sounds.append([
                        Cell(number), Cell("token"), Cell(position), Cell(position + 1), Cell(tokens[token]),
                    ])
                }
            }
        }
        try table.flush()
        try sounds.flush()
    }

    /// What the data set says was said, or else what the decoder read.
    private func text(_ recording: Recordings.Recording) -> String {
        recording.columns["text"]
            ?? recording.tokens.sorted { $0.key < $1.key }.flatMap(\.value).map { tokens[$0] }.joined()
    }
}

extension Recordings.Recording {
    /// By the first of these columns that is there; "" where none is.
    func speaker(_ names: [String]) -> String { names.compactMap { columns[$0] }.first { !$0.isEmpty } ?? "" }
}

extension SideScan {
    /// The best recordings. One whose largest value is 0 is no example of anything.
    func examples(_ feature: Int) -> [TopLists.Entry] {
        (0..<top.count(feature)).map { top.entry(feature, $0) }.filter { $0.value != 0 }
    }
}
