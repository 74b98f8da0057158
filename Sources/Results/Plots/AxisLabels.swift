import Drawing

/// The writing beside a plot: positions along its axes, and their names. All of it is measured before it is placed, so that no
/// two labels touch.
struct AxisLabels {
    static let style = TextStyle(size: 11, colour: .muted)
    static let titleStyle = TextStyle(size: 12)
    /// The widest that a position's label may be.
    private static let longest = 120.0
    /// Between two labels.
    private static let gap = 8.0
    /// From the plot to its labels.
    private static let tick = 8.0
    /// How far writing may reach beyond the plot's ends: what stands beside it begins further out.
    private static let overhang = 14.0

    let area: Area
    private let down: ArrayAxis
    private let across: [Tick]
    private let isTurned: Bool
    private let downTitle: Text
    private let acrossTitle: Text
    private let leftMargin: Double
    /// From the plot's lower edge to the picture's.
    let bottomMargin: Double

    private struct Tick {
        let position: Double
        let text: Text
    }

    /// - Parameters:
    ///   - spacing: from one position to the next of the axis that goes across.
    ///   - leftMargin: ``leftMargin(_:)`` of `down`, or what the plot needs there.
    init(area: Area, down: ArrayAxis, across: ArrayAxis, spacing: Double, leftMargin: Double) {
        self.area = area
        self.down = down
        self.leftMargin = leftMargin
        let widest = Self.sample(across).map { Text($0, Self.style).width }.max() ?? 0
        let row = LevelRow(width: area.width, spacing: spacing, leftMargin: leftMargin, count: across.count)
        // Names stand beside each other only where all of them do.
        let isTurned =
            !across.labels.isEmpty && (widest + Self.gap > spacing || !row.holds(row.ticks(across, across.count)))
        let ticks = isTurned ? Self.turned(across, spacing) : row.chosen(across)
        self.isTurned = isTurned
        self.across = ticks
        downTitle = Text(down.title, Self.titleStyle, within: area.height + 2 * Self.overhang)
        acrossTitle = Text(across.title, Self.titleStyle, within: area.width + 2 * Self.overhang)
        let deepest = ticks.map(isTurned ? \.text.width : \.text.height).max() ?? 0
        let title = acrossTitle.width > 0 ? acrossTitle.height + 4 : 0
        bottomMargin = Self.tick + deepest + title + 10
    }

    /// Room for the labels and the name of an axis that goes down.
    static func leftMargin(_ axis: ArrayAxis) -> Double {
        let widest = sample(axis).map { Text($0, style, within: longest).width }.max() ?? 0
        return (axis.title.isEmpty ? 10 : Text(axis.title, titleStyle).height + 16) + widest + tick
    }

    /// Labels enough to know how wide they get.
    private static func sample(_ axis: ArrayAxis) -> [String] {
        guard !axis.labels.isEmpty else { return ticks(axis, most: 12).map(\.text) }
        return stride(from: 0, to: axis.count, by: max(axis.count / 200, 1)).map(axis.label)
    }

    /// Labels beside each other below the plot, which begins at 0.
    private struct LevelRow {
        let width, spacing, leftMargin: Double
        /// Positions of the axis.
        let count: Int

        func ticks(_ axis: ArrayAxis, _ most: Int) -> [Tick] {
            AxisLabels.ticks(axis, most: most).map {
                Tick(position: $0.position, text: Text($0.text, AxisLabels.style))
            }
        }

        /// As many as there is room for.
        func chosen(_ axis: ArrayAxis) -> [Tick] {
            var most = axis.labels.isEmpty ? max(Int(spacing * Double(count) / 40), 2) : count
            while true {
                let chosen = ticks(axis, most)
                if most <= 2 || holds(chosen) { return chosen }
                most = min(most - 1, most * 3 / 4)
            }
        }

        /// Whether none touches another, those at the ends where ``AxisLabels/held(_:_:_:)`` puts them.
        func holds(_ ticks: [Tick]) -> Bool {
            let edge = max(width - spacing * Double(count - 1), 0) / 2
            let middles = ticks.map { tick in
                let half = tick.text.width / 2
                return max(
                    min(edge + tick.position * spacing, width + AxisLabels.overhang - half), half + 2 - leftMargin)
            }
            let widest = ticks.map(\.text.width).max() ?? 0
            return zip(middles, middles.dropFirst()).allSatisfy { abs($1 - $0) >= widest + AxisLabels.gap }
        }
    }

    /// Reading upwards.
    private static func turned(_ axis: ArrayAxis, _ spacing: Double) -> [Tick] {
        let height = Text("Ag", style).height
        let chosen = ticks(axis, most: max(Int(spacing * Double(axis.count) / (height + 2)), 2))
        return chosen.map { Tick(position: $0.position, text: Text($0.text, style, within: longest)) }
    }

    /// - Parameter place: where a position along the axis (0 at the middle of the first) stands.
    func drawAcross(_ canvas: Canvas, place: (Double) -> Double) {
        for tick in across {
            let x = place(tick.position)
            canvas.line([Point(x, area.bottom + 1), Point(x, area.bottom + 4)], .muted, width: 1)
            if isTurned {
                let baseline = x + tick.text.baseline - tick.text.height / 2
                canvas.text(tick.text, at: Point(baseline, area.bottom + Self.tick), .end, isTurned: true)
            } else {
                let place = Point(held(x, tick.text, canvas), area.bottom + Self.tick + tick.text.baseline)
                canvas.text(tick.text, at: place, .middle)
            }
        }
        let bottom = area.bottom + bottomMargin - 10
        let baseline = bottom - acrossTitle.height + acrossTitle.baseline
        canvas.text(acrossTitle, at: Point(held(area.middle.x, acrossTitle, canvas), baseline), .middle)
    }

    /// The middle of a text across, moved to where it stays in the picture and away from what is beside the plot.
    private func held(_ x: Double, _ text: Text, _ canvas: Canvas) -> Double {
        let half = text.width / 2
        return max(min(x, min(canvas.width - 2, area.right + Self.overhang) - half), half + 2)
    }

    /// The same for the axis that goes down.
    func drawDown(_ canvas: Canvas, place: (Double) -> Double) {
        let title = downTitle.width > 0 ? downTitle.height + 10 : 4
        let tallest = Self.sample(down).prefix(50).map { Text($0, Self.style).height }.max() ?? 13
        let most = Int(area.height / (down.labels.isEmpty ? 28 : tallest + 1))
        for (position, label) in Self.ticks(down, most: most) {
            let text = Text(label, Self.style, within: max(leftMargin - title - Self.tick, 10))
            drawLabel(text, at: place(position), canvas)
        }
        let middle = max(min(area.middle.y, canvas.height - downTitle.width / 2 - 2), downTitle.width / 2 + 2)
        canvas.text(downTitle, at: Point(6 + downTitle.baseline, middle), .middle, isTurned: true)
    }

    /// A label to the left of the plot, with its mark.
    func drawLabel(_ text: Text, at y: Double, _ canvas: Canvas) {
        canvas.line([Point(area.x - 4, y), Point(area.x - 1, y)], .muted, width: 1)
        canvas.text(text, at: Point(area.x - Self.tick, y + text.baseline - text.height / 2), .end)
    }
}
