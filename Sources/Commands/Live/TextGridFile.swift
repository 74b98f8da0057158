/// Intervals and points in time as Praat's TextGrid, in its long text form.
struct TextGridFile {
    struct Interval {
        var start: Double
        var end: Double
        var text: String
    }

    /// Tiers in their order. Intervals of a tier follow one another; what lies between two is empty.
    var intervals: [(name: String, intervals: [Interval])] = []
    var points: [(name: String, points: [(time: Double, text: String)])] = []

    /// - Parameter duration: seconds that all tiers have.
    func text(duration: Double) -> String {
        var end = duration
        for tier in intervals { for one in tier.intervals { end = max(end, one.end) } }
        for tier in points { for one in tier.points { end = max(end, one.time) } }
        var out = """
            File type = "ooTextFile"
            Object class = "TextGrid"

            xmin = 0
            xmax = \(end)
            tiers? <exists>
            size = \(intervals.count + points.count)
            item []:

            """
        var number = 0
        func head(_ kind: String, _ name: String) {
            number += 1
            out += """
                    item [\(number)]:
                        class = "\(kind)"
                        name = \(Self.quoted(name))
                        xmin = 0
                        xmax = \(end)

                """
        }
        for tier in intervals {
            head("IntervalTier", tier.name)
            let all = Self.filled(tier.intervals, end: end)
            out += "        intervals: size = \(all.count)\n"
            for (index, one) in all.enumerated() {
                out += """
                            intervals [\(index + 1)]:
                                xmin = \(one.start)
                                xmax = \(one.end)
                                text = \(Self.quoted(one.text))

                    """
            }
        }
        for tier in points {
            head("TextTier", tier.name)
            out += "        points: size = \(tier.points.count)\n"
            for (index, one) in tier.points.enumerated() {
                out += """
                            points [\(index + 1)]:
                                number = \(one.time)
                                mark = \(Self.quoted(one.text))

                    """
            }
        }
        return out
    }

    /// With empty intervals between those that are there, and none that overlap: a later one begins where the one before ends.
    private static func filled(_ intervals: [Interval], end: Double) -> [Interval] {
        var out: [Interval] = []
        var at = 0.0
        for one in intervals where one.end > at {
            if one.start > at { out.append(Interval(start: at, end: one.start, text: "")) }
            out.append(Interval(start: max(at, one.start), end: one.end, text: one.text))
            at = one.end
        }
        if at < end || out.isEmpty { out.append(Interval(start: at, end: max(end, at), text: "")) }
        return out
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
