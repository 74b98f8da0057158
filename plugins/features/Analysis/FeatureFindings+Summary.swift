import Foundation
import PluginKit

/// What a person reads at a terminal.
extension FeatureFindings {
    func emitSummary(_ labels: [[FeatureLabel]]) throws {
        for (hook, labels) in zip(scan.hooks, labels) { try emitNeurons(hook, labels) }
        guard !scan.hooks.isEmpty else { return try emitMethod(labels) }
        try emitSelective(labels)
        try emitDensities()
        for hook in scan.hooks {
            for feature in settings.show where feature < hook.features { try emitRanges(hook, feature) }
        }
        try emitMethod(labels)
    }

    /// The table of the first features: label, precision, average precision, AUC, and what is heard at the maxima.
    private func emitNeurons(_ hook: HookScan, _ labels: [FeatureLabel]) throws {
        let count = min(settings.first, hook.features)
        guard count > 0 else { return }
        // A sound, or else the kind that was asked for first.
        let sounds = settings.labels.kinds.filter { ["phoneme", "token"].contains($0) }
        let kinds = sounds.isEmpty ? Array(settings.labels.kinds.prefix(1)) : sounds
        var rows: [[Cell]] = []
        for side in hook.sides {
            for feature in 0..<count {
                let own = labels.filter { $0.feature == feature && $0.sign == side.sign }
                let best = kinds.lazy.compactMap { kind in own.first { $0.kind == kind } }.first
                let name = hook.names.isEmpty ? String(feature) : hook.names[feature]
                rows.append([
                    Cell(hook.hook), Cell(side.name == "+" ? name : "\(name) −"), Cell(best?.label ?? "–"),
                    Cell(best?.precision ?? .nan), Cell(best?.averagePrecision ?? .nan),
                    Cell(best?.areaUnderCurve ?? .nan),
                    Cell(examples(side, hook, feature, lag: best?.lag ?? 0)),
                ])
            }
        }
        try results.emit(
            "neurons",
            .table(columns: ["hook", "neuron", "label", "precision", "ap", "auc", "examples"], rows: rows),
            mayBeNaN: true)
    }

    /// What is heard at the largest maxima: word/phoneme, the token, or the recording's name. As many, up to five, as
    /// leave the table within a terminal of 80 columns.
    private func examples(_ side: SideScan, _ hook: HookScan, _ feature: Int, lag: Int) -> String {
        let all = side.examples(feature).prefix(5).map { entry -> String in
            let moment = FrameMoment(recording: entry.recording, frame: UInt64(entry.frame))
            let kinds = hook.rate > 0 ? ["word", "phoneme"] : ["token"]
            let heard = kinds.compactMap { search.label($0, moment, lag: lag, hook) }.filter { !$0.isEmpty }
            if !heard.isEmpty { return heard.joined(separator: "/") }
            let isAligned = scan.recordings[entry.recording].map { !$0.phonemes.isEmpty || !$0.words.isEmpty } ?? false
            return isAligned ? "·" : scan.recordings[entry.recording]?.name ?? ""
        }
        var shown = all.first ?? ""
        for text in all.dropFirst() {
            guard shown.count + 1 + text.count <= Self.widestExamples else { break }
            shown += " " + text
        }
        return shown
    }

    private static let widestExamples = 16

    private func isSelective(_ label: FeatureLabel) -> Bool {
        label.kind == "phoneme" && label.precisionAtRecall >= settings.labels.selectivePrecision
            && label.areaUnderCurve >= settings.labels.selectiveArea
    }

    /// Of the hook points at which a phoneme can be told: not of tokens, nor of recordings without any.
    private func emitSelective(_ labels: [[FeatureLabel]]) throws {
        let limits = settings.labels
        var rows: [[Cell]] = []
        var shares: [Double] = [], hooks: [String] = []
        let isAsked = !scan.recordings.sounds.names.isEmpty
        for (hook, labels) in zip(scan.hooks, labels) where isAsked && hook.rate > 0 {
            hooks.append(hook.hook)
            // A feature that is selective at both ends is one feature.
            let selective = Set(labels.filter(isSelective).map(\.feature)).count
            shares.append(Double(selective) / Double(hook.features))
            rows.append([
                Cell(hook.hook), Cell(hook.features), Cell(selective), Cell(shares.last ?? .nan),
                Cell(limits.selectivePrecision), Cell(limits.selectiveRecall), Cell(limits.selectiveArea),
                Cell(limits.lift),
                Cell(limits.significance), Cell(limits.quantile),
            ])
        }
        let columns = [
            "hook", "features", "selective", "share", "precision_at_least", "at_recall", "auc_at_least",
            "lift_at_least",
            "p_value_at_most", "threshold_quantile",
        ]
        try results.emit("selective", .table(columns: columns, rows: rows))
        if !hooks.isEmpty { try results.emit("share", .vector(shares, axis: Axis("hook point", labels: hooks))) }
    }

    /// How many features are above zero how often.
    private func emitDensities() throws {
        let edges = [0, 1e-4, 1e-3, 1e-2, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75]
        let names = zip(edges, edges.dropFirst() + [1]).map { "\(Self.short($0))–\(Self.short($1))" }
        var counts: [Double] = []
        for hook in scan.hooks {
            var own = [Double](repeating: 0, count: edges.count + 1)
            for feature in 0..<hook.features where hook.all.frames > 0 {
                let density = hook.all.moments(feature).density
                own[density > 0 ? 1 + (edges.lastIndex { $0 < density } ?? 0) : 0] += 1
            }
            counts += own
        }
        try results.emit(
            "densities",
            .matrix(
                counts, rows: scan.hooks.count, columns: edges.count + 1,
                axes: [
                    Axis("hook point", labels: scan.hooks.map(\.hook)), Axis("density", labels: ["never"] + names),
                ]))
    }

    private static func short(_ number: Double) -> String {
        number == number.rounded() ? String(Int(number)) : "\(number)"
    }

    /// The shares of the most frequent sounds in each range of equal width, the highest range first.
    private func emitRanges(_ hook: HookScan, _ feature: Int) throws {
        for side in hook.sides {
            guard let ranges = ranges(side, hook, feature).first else { continue }
            let bins = ranges.bins.indices.reversed().filter { ranges.bins[$0].count > 0 }
            let sounds = bins.map { self.sounds(ranges.bins[$0], side, feature) }
            var peaks: [String: Double] = [:]
            for (bin, list) in zip(bins, sounds) {
                for (label, count) in list {
                    peaks[label] = max(peaks[label] ?? 0, Double(count) / Double(ranges.bins[bin].count))
                }
            }
            // Those that make up most of any range.
            let shown = peaks.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(8).map(\.key)
            guard !shown.isEmpty, !bins.isEmpty else { continue }
            let values = zip(bins, sounds).flatMap { bin, list in
                shown.map { label in
                    Double(list.first { $0.label == label }?.count ?? 0) / Double(ranges.bins[bin].count)
                }
            }
            let names = bins.map { bin in
                String(format: "%.2f to %.2f", ranges.bins[bin].low, ranges.bins[bin].high)
            }
            let sign = side.sign > 0 ? "" : ", mirrored"
            try results.emit(
                "ranges",
                .matrix(
                    values, rows: bins.count, columns: shown.count,
                    axes: [
                        Axis(
                            "\(hook.hook) \(hook.names.isEmpty ? String(feature) : hook.names[feature])\(sign)",
                            labels: names),
                        Axis("sound", labels: shown),
                    ]))
        }
    }

    private func emitMethod(_ labels: [[FeatureLabel]]) throws {
        let limits = settings.labels
        let split = search.bySpeaker
        let names = split.parts.values.count { $0 == .name }
        var sentences = [
            "\(scan.recordings.all.count) recordings; padding is no data.",
            split.reason.isEmpty
                ? "No speaker is on both splits; a recording without a speaker stands for one."
                : "The splits are by recording, so a speaker may be on both: \(split.reason).",
            "\(names) recordings name, \(split.parts.count - names) score.",
        ]
        let left = scan.recordings.all.count - split.parts.count
        if left > 0 {
            sentences.append("\(left) of several speakers, who are on both splits, do neither.")
        }
        for hook in scan.hooks {
            let all = hook.all.frames
            sentences.append(
                "\(hook.hook): \(all) frames, labels from "
                    + (UInt64(hook.sample.count) < all ? "a sample of \(hook.sample.count)." : "all of them."))
            if hook.refused > 0 {
                sentences.append("\(hook.refused) windows of \(hook.hook) were left out: values that are not finite.")
            }
        }
        sentences.append(
            "A feature listens above the \(limits.quantile) quantile of its values on the naming split. Its label has the "
                + "highest precision there of those \(limits.lift) times as frequent as in all frames, and is given where "
                + "that holds on the scoring split and p is at most \(limits.significance) "
                + "(\(limits.permutations) rotations of the labels; columns: new deals among speakers or recordings).")
        if !scan.droppedColumns.isEmpty {
            sentences.append(
                "Columns with more than \(settings.columnValues) values are not told apart: "
                    + scan.droppedColumns.sorted().joined(separator: ", ") + ".")
        }
        try results.emit("method", .text(sentences.joined(separator: " ")))
    }
}
