import Results
import Foundation
import Messages

/// Results of every kind, whose values are known.
enum Planted {
    static func tensor(_ values: [Float], _ shape: [UInt64]) -> V1.Tensor {
        V1.Tensor(
            dtype: .f32, shape: shape,
            data: values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) })
    }

    static func doubles(_ values: [Double], _ shape: [UInt64]) -> V1.Tensor {
        V1.Tensor(
            dtype: .f64, shape: shape,
            data: values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) })
    }

    static func output(
        _ id: String, _ kind: V1.ResultKind, _ axes: [V1.ResultAxis] = [],
        _ plot: V1.PlotHint = .plotHintUnspecified, unit: String = "", title: String = ""
    ) -> V1.PluginOutput {
        V1.PluginOutput(id: id, title: title, unit: unit, kind: kind, axes: axes, plot: plot)
    }

    static func number(_ value: Double) -> V1.PluginCell { V1.PluginCell(value: .number(value)) }
    static func text(_ value: String) -> V1.PluginCell { V1.PluginCell(value: .text(value)) }

    static func run(
        _ outputs: [V1.PluginOutput], _ results: [V1.PluginResult], end: V1.PluginEnd? = nil
    ) -> RunResults {
        let listing = V1.PluginListing(id: "org.example.planted", name: "Planted results", version: "1.2.3")
        return RunResults(
            description: V1.PluginDescription(
                listing: listing, description: "What every renderer is tried with.", outputs: outputs),
            results: results, end: end)
    }

    static func one(_ output: V1.PluginOutput, _ value: V1.PluginResult.Value, file: String = "") -> RunResults {
        run([output], [V1.PluginResult(outputId: output.id, file: file, value: value)])
    }

    static func array(_ tensor: V1.Tensor, _ axes: [V1.ResultAxis] = []) -> V1.PluginResult.Value {
        .array(V1.PluginArray(tensor: tensor, axes: axes))
    }

    /// A tone that rises from 300 to 3000 Hz.
    static func tone(seconds: Double, rate: Double = 16000) -> [UInt8] {
        (0..<Int(seconds * rate)).flatMap { index -> [UInt8] in
            let t = Double(index) / rate
            let value = Float(0.6 * sin(2 * .pi * (300 * t + 1350 * t * t / seconds)))
            return withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init)
        }
    }

    /// One of each kind, and each way to draw it.
    static var everything: RunResults {
        let layers = V1.ResultAxis(name: "layer", labels: (0..<4).map { "block \($0)" })
        let heads = V1.ResultAxis(name: "head", labels: (0..<6).map { "\($0)" })
        let phonemes = V1.ResultAxis(
            name: "phoneme", labels: ["ə", "ɛ", "s", "ʃ", "t", "ŋ", "θ", "iː", "k", "m", "silence"])
        let frames = V1.ResultAxis(name: "time", unit: "s", step: 0.02)
        let mel = V1.ResultAxis(name: "mel band", step: 1)
        let outputs = [
            output("accuracy", .scalar, title: "Accuracy"),
            output("loudness", .scalar, unit: "dB", title: "Loudness"),
            output("distance", .matrix, [layers, heads], .heatMap, unit: "s", title: "Mean distance of attention"),
            output(
                "pattern", .matrix,
                [
                    V1.ResultAxis(name: "destination", unit: "s", step: 0.02),
                    V1.ResultAxis(name: "source", unit: "s", step: 0.02),
                ],
                .heatMap, title: "Attention pattern"),
            output("precision", .vector, [phonemes], .bar, title: "Precision for each phoneme"),
            output(
                "groups", .matrix,
                [
                    V1.ResultAxis(name: "bin", labels: ["0.9–1.0", "0.8–0.9", "0.7–0.8", "0.6–0.7"]),
                    V1.ResultAxis(labels: ["s", "ʃ", "other"]),
                ], .bar, unit: "share", title: "Sounds in each bin"),
            output("trace", .vector, [frames], .line, unit: "activation", title: "Neuron 17 over time"),
            output(
                "curves", .matrix,
                [
                    V1.ResultAxis(name: "fold", labels: ["train", "valid", "control"]),
                    V1.ResultAxis(name: "epoch", first: 1, step: 1),
                ], .line, unit: "loss", title: "Loss"),
            output("neurons", .table, title: "Neurons and their labels"),
            output("words", .timedEvents, title: "Words"),
            output("mel", .matrix, [mel, frames], .spectrogramOverlay, title: "Log-mel"),
            output("seams", .timedEvents, [], .spectrogramOverlay, title: "Seams"),
            output("clip", .audioClip, [], .player, title: "Best example"),
            output("note", .text, title: "Note"),
        ]
        let distance = (0..<24).map { place -> Float in
            place == 7 ? Float.nan : Float(place % 6) * 0.4 + Float(place / 6) * 0.15
        }
        let pattern = (0..<120 * 120).map { place -> Float in
            let q = place / 120, k = place % 120
            let distance = Float((q - k) * (q - k))
            let sink: Float = k == 90 ? 0.3 : 0
            let grain = Float((q * 7 + k * 13) % 11) * 0.01
            return expf(-distance / 20) + sink + grain
        }
        let trace = (0..<150).map { frame -> Float in
            let t = Float(frame)
            return frame > 60 && frame < 66 ? Float.nan : sinf(t / 9) * expf(-t / 90)
        }
        let curves = (0..<60).map { place -> Float in
            let fold = place / 20, epoch = Float(place % 20)
            return 2.5 * expf(-epoch / Float(6 + 5 * fold)) + Float(fold) * 0.1
        }
        let groups: [Float] = [0.8, 0.1, 0.1, 0.6, 0.25, 0.15, 0.4, 0.3, 0.3, 0.2, 0.3, 0.5]
        let mels = (0..<80 * 150).map { place -> Float in
            let band = Float(place / 150), time = Float(place % 150)
            let away = band - 20 - 15 * sinf(time / 20)
            let grain = Float((place * 37) % 13) / 130
            return -4 + 3 * expf(-away * away / 40) + grain
        }
        let rows = (0..<24).map { row -> V1.PluginRow in
            let neuron = number(Double(row * 37 % 1000))
            let precision = number(0.97 - Double(row) * 0.0213)
            let auc: V1.PluginCell = row == 5 ? V1.PluginCell() : number(0.99 - Double(row) * 0.011)
            let example = text(row == 3 ? "“the ship, she said”, and \"so on\"" : "the ship sails")
            return V1.PluginRow(cells: [neuron, text(phonemes.labels[row % 11]), precision, auc, example])
        }
        let words = [
            (0.1, 0.4, "she"), (0.4, 0.9, "sells"), (0.95, 1.2, "sea"), (1.2, 1.8, "shells"), (2.4, 2.4, "click"),
        ]
        .map { V1.PluginTimedEvent(start: $0.0, end: $0.1, label: $0.2) }
        let seams = [
            V1.PluginTimedEvent(start: 0.8, end: 1.4, label: "speaker A", value: 0.7),
            V1.PluginTimedEvent(start: 1.4, end: 2.2, label: "speaker B", value: 0.9),
        ]
        var results = [
            V1.PluginResult(outputId: "accuracy", value: .scalar(0.93125)),
            V1.PluginResult(outputId: "distance", value: array(tensor(distance, [4, 6]))),
            V1.PluginResult(outputId: "pattern", value: array(tensor(pattern, [120, 120]))),
            V1.PluginResult(
                outputId: "precision",
                value: array(tensor([0.91, 0.72, 0.88, 0.95, 0.4, 0.33, 0.51, 0.83, 0.6, 0.71, 0.99], [11]))),
            V1.PluginResult(outputId: "groups", value: array(tensor(groups, [4, 3]))),
            V1.PluginResult(outputId: "trace", file: "a.wav", value: array(tensor(trace, [150]))),
            V1.PluginResult(outputId: "curves", value: array(tensor(curves, [3, 20]))),
            V1.PluginResult(
                outputId: "neurons",
                value: .table(V1.PluginTable(columns: ["neuron", "label", "precision", "AUC", "example"], rows: rows))),
            V1.PluginResult(outputId: "words", file: "a.wav", value: .events(V1.PluginTimedEvents(events: words))),
            V1.PluginResult(outputId: "mel", file: "a.wav", value: array(tensor(mels, [80, 150]))),
            V1.PluginResult(outputId: "seams", file: "a.wav", value: .events(V1.PluginTimedEvents(events: seams))),
            V1.PluginResult(
                outputId: "clip", file: "b.wav",
                value: .audio(V1.PluginAudioClip(sampleRate: 16000, samples: tone(seconds: 2)))),
            V1.PluginResult(
                outputId: "note",
                value: .text("Heads 2 and 3 of block 1 attend to the end of speech.\nAll others are local.")),
        ]
        for (index, name) in ["a.wav", "b.wav", "sub/c.wav"].enumerated() {
            results.append(V1.PluginResult(outputId: "loudness", file: name, value: .scalar(-23.5 + Double(index))))
        }
        let end = V1.PluginEnd(
            recordings: 3, results: UInt64(results.count), skipped: 1, model: "default",
            modelSha256: String(repeating: "ab", count: 32), seed: 7, seconds: 12.34, engineSeconds: 10.2,
            pluginSeconds: 1.5)
        var run = run(outputs, results, end: end)
        run.skipped = [V1.SkippedRecording(file: "broken.wav", reason: "no audio file: it is empty")]
        return run
    }
}
