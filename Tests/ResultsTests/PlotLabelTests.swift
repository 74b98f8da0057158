import Messages
import TestSupport
import Testing

@testable import Drawing
@testable import Results

@Suite("Labels of plots") struct PlotLabelTests {
    private static let names = [
        "a", "plain label", "encoder.blocks.11.cross_attn.pattern", "日本語のとても長いラベルです", "مرحبا بالعالم", "नमस्ते दुनिया",
        "👩‍👩‍👧 😀", "한국어", "e\u{301}a\u{308}", "", "W", "–0.000123",
    ]

    private func axis(_ count: Int, isNamed: Bool, _ random: inout SeededGenerator) -> ArrayAxis {
        let labels = isNamed ? (0..<count).map { _ in Self.names.randomElement(using: &random) ?? "" } : []
        return ArrayAxis(
            name: Self.names.randomElement(using: &random) ?? "", unit: Bool.random(using: &random) ? "s" : "",
            labels: labels, first: Double.random(in: -1e5...1e5, using: &random), step: 0.02, count: count)
    }

    private func values(_ count: Int, _ random: inout SeededGenerator) -> [Double] {
        let scale = [1e-6, 1, 1e7][Int.random(in: 0..<3, using: &random)]
        return (0..<count).map { _ in
            Int.random(in: 0..<20, using: &random) == 0 ? .nan : Double.random(in: -scale...scale, using: &random)
        }
    }

    private func plots(_ random: inout SeededGenerator) -> [Plot] {
        let rows = Int.random(in: 1...40, using: &random), columns = Int.random(in: 1...60, using: &random)
        let down = axis(rows, isNamed: .random(using: &random), &random)
        let across = axis(columns, isNamed: .random(using: &random), &random)
        let map = NumericArray(values: values(rows * columns, &random), axes: [down, across])
        let series = Self.names.prefix(Int.random(in: 1...10, using: &random)).map { name in
            Plot.Series(name: name, values: values(columns, &random))
        }
        let events = (0..<columns).map { index -> V1.PluginTimedEvent in
            let start = Double.random(in: 0...5, using: &random)
            return V1.PluginTimedEvent(
                start: start, end: start + Double.random(in: 0...2, using: &random),
                label: Self.names[index % Self.names.count])
        }
        let title = Self.names.joined(separator: " ")
        return [
            .heatMap(map, upward: false, events: [], line: nil), .heatMap(map, upward: true, events: [], line: nil),
            .bars(across, series), .lines(across, series), .timeline(events),
        ].map { Plot(title: title, unit: "a rather long unit", kind: $0) }
    }

    private func texts(_ picture: Picture) -> [Canvas.Written] {
        let output = OutputSurface(.svg, width: picture.width, height: picture.height, title: "")
        let canvas = Canvas(on: output.surface, width: picture.width, height: picture.height)
        picture.draw(canvas)
        return canvas.texts
    }

    @Test("no two touch, and all stay in the picture", arguments: 1...12)
    func apart(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        for plot in plots(&random) {
            let picture = plot.picture
            let texts = texts(picture)
            #expect(!texts.isEmpty)
            for (index, text) in texts.enumerated() {
                let area = text.area
                #expect(
                    area.x >= -0.5 && area.y >= -0.5 && area.right <= picture.width + 0.5
                        && area.bottom <= picture.height + 0.5, "\(text) in \(picture.width) × \(picture.height)")
                for other in texts[(index + 1)...] {
                    let across = min(area.right, other.area.right) - max(area.x, other.area.x)
                    let down = min(area.bottom, other.area.bottom) - max(area.y, other.area.y)
                    #expect(across < 1 || down < 1, "\(text) and \(other)")
                }
            }
        }
    }

    @Test("hook points across a plot keep their distance, those at its ends too", arguments: 2...14)
    func distance(blocks: Int) {
        let names = ["encoder.positional"] + (0..<blocks).map { "encoder.blocks.\($0)" } + ["encoder.ln_post"]
        let axis = ArrayAxis(name: "hook point", labels: names, count: names.count)
        let series = ["probe", "majority"].map { Plot.Series(name: $0, values: names.map { _ in 0.5 }) }
        for kind in [Plot.Kind.lines(axis, series), .bars(axis, series)] {
            let areas = texts(Plot(title: "", unit: "", kind: kind).picture).filter { $0.string.hasPrefix("encoder.") }
                .map(\.area)
            #expect(areas.count == names.count)
            for (one, next) in zip(areas, areas.dropFirst()) {
                #expect(next.x - one.right >= 2, "\(blocks) blocks: \(one) and \(next)")
            }
        }
    }
}
