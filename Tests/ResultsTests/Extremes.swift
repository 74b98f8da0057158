import Results
import Foundation
import Messages

/// A run that is hard to draw.
struct Extreme: Sendable, CustomStringConvertible {
    let description: String
    let run: RunResults
}

enum Extremes {
    private static func matrix(
        _ name: String, _ values: [Double], _ rows: UInt64, _ columns: UInt64, _ axes: [V1.ResultAxis] = [],
        _ plot: V1.PlotHint = .heatMap
    ) -> Extreme {
        let output = Planted.output("m", .matrix, axes, plot)
        let value = Planted.array(Planted.doubles(values, [rows, columns]))
        return Extreme(description: name, run: Planted.one(output, value, file: "f.wav"))
    }

    private static func vector(_ name: String, _ values: [Double], _ plot: V1.PlotHint, _ axis: V1.ResultAxis = .init())
        -> Extreme
    {
        let value = Planted.array(Planted.doubles(values, [UInt64(values.count)]))
        return Extreme(description: name, run: Planted.one(Planted.output("v", .vector, [axis], plot), value))
    }

    static let infiniteAxis = V1.ResultAxis(name: "x", first: -.infinity, step: .infinity)
    static let plots: [V1.PlotHint] = [.heatMap, .bar, .line, .spectrogramOverlay, .noPlot, .player]

    static var all: [Extreme] {
        var all = [
            Extreme(description: "nothing", run: RunResults()),
            matrix("huge values", [.greatestFiniteMagnitude, -.greatestFiniteMagnitude], 1, 2),
            matrix("infinite values", [.infinity, -.infinity, 0, .nan], 2, 2),
            matrix("an unlabelled tail", [1, 2, 3], 1, 3, [.init(), V1.ResultAxis(labels: ["one"])]),
            Extreme(
                description: "events at no time",
                run: Planted.one(
                    Planted.output("e", .timedEvents),
                    .events(
                        V1.PluginTimedEvents(events: [
                            V1.PluginTimedEvent(start: .nan, end: .infinity, label: "?"),
                            V1.PluginTimedEvent(start: 3, end: 1, label: "backwards"),
                            V1.PluginTimedEvent(start: -1e300, end: 1e300, label: "forever"),
                        ])))),
            Extreme(
                description: "silence of no length",
                run: Planted.one(
                    Planted.output("c", .audioClip), .audio(V1.PluginAudioClip(sampleRate: 16000, samples: [])))),
            Extreme(
                description: "letters of all directions",
                run: Planted.one(
                    Planted.output("t", .table, title: "שלום 👩‍👩‍👧 ﷽"),
                    .table(
                        V1.PluginTable(
                            columns: ["مرحبا", ""],
                            rows: [V1.PluginRow(cells: [Planted.text("e\u{301}\u{301}"), V1.PluginCell()])])))),
            Extreme(
                description: "a table without columns",
                run: Planted.one(Planted.output("t", .table), .table(V1.PluginTable()))),
        ]
        for plot in plots {
            all += [
                matrix("empty, \(plot)", [], 0, 0, [], plot), matrix("no rows, \(plot)", [], 0, 5, [], plot),
                matrix("1 × 1, \(plot)", [7], 1, 1, [], plot),
                matrix("no values, \(plot)", [.nan, .nan, .nan, .nan], 2, 2, [], plot),
                matrix("infinite axes, \(plot)", [1, 2, 3, 4], 2, 2, [infiniteAxis, infiniteAxis], plot),
                vector("an empty vector, \(plot)", [], plot), vector("one value, \(plot)", [-3], plot),
                vector("10,000 values, \(plot)", (0..<10_000).map { Double($0 % 97) }, plot),
                vector("a vector on an infinite axis, \(plot)", [1, .infinity, .nan], plot, infiniteAxis),
            ]
        }
        return all
    }
}
