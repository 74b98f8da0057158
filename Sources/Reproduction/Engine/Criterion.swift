/// A threshold that a measured number meets, meets partly, or does not.
package struct Criterion: Sendable {
    package enum Direction: Sendable {
        case atLeast, atMost
    }

    /// The ``Measure`` that it looks at.
    package let measure: String
    /// What is measured, in words: "share of heads that are local".
    package let question: String
    package let direction: Direction
    /// From here on, the claim holds.
    package let holds: Double
    /// From here on, it holds partly; weaker than `holds`.
    package let partly: Double
    /// How many things must have been measured for the number to say anything.
    package let least: Int
    /// Why the thresholds are these.
    package let reason: String
    /// Whether nothing can be said of the claim without it.
    package let isRequired: Bool

    package init(
        _ measure: String, _ question: String, _ direction: Direction = .atLeast, holds: Double, partly: Double,
        least: Int = 1, because reason: String, isRequired: Bool = true
    ) {
        self.measure = measure
        self.question = question
        self.direction = direction
        self.holds = holds
        self.partly = partly
        self.least = least
        self.reason = reason
        self.isRequired = isRequired
    }

    /// What the number says; without one, or with one of fewer things than ``least``, nothing can be said.
    package func judge(_ measure: Measure?) -> Outcome {
        Outcome(criterion: self, measure: measure, verdict: verdict(measure))
    }

    private func verdict(_ measure: Measure?) -> Verdict {
        guard let measure else { return .cannotBeSaid("\(question): it was not measured") }
        if let missing = measure.missing { return .cannotBeSaid(missing) }
        guard let value = measure.value, value.isFinite else {
            return .cannotBeSaid("\(question): there is no number")
        }
        guard measure.count >= least else {
            return .cannotBeSaid(
                "\(question): measured on \(measure.count) \(measure.things), and \(least) are needed")
        }
        if meets(value, holds) { return .holds }
        return meets(value, partly) ? .holdsPartly : .doesNotHold
    }

    private func meets(_ value: Double, _ threshold: Double) -> Bool {
        direction == .atLeast ? value >= threshold : value <= threshold
    }
}

/// A number that was measured, and on how many things.
package struct Measure: Sendable, Equatable {
    package let id: String
    package let value: Double?
    package let count: Int
    /// What was counted: "heads".
    package let things: String
    /// Why there is no number; nil where there is one.
    package let missing: String?
    /// What there would have to be more of, where that is why.
    package let shortage: Shortage?

    package init(_ id: String, _ value: Double, count: Int, _ things: String) {
        self.id = id
        self.value = value
        self.count = count
        self.things = things
        self.missing = nil
        self.shortage = nil
    }

    /// A number that could not be measured.
    package init(_ id: String, missing: String, _ shortage: Shortage? = nil) {
        self.id = id
        self.value = nil
        self.count = 0
        self.things = ""
        self.missing = missing
        self.shortage = shortage
    }

    /// `part` of `whole`; without any whole there is no number.
    package init(_ id: String, share part: Int, of whole: Int, _ things: String) {
        self.init(id, whole > 0 ? Double(part) / Double(whole) : .nan, count: whole, things)
    }
}

/// A criterion with what was measured and what follows.
package struct Outcome: Sendable {
    package let criterion: Criterion
    package let measure: Measure?
    package let verdict: Verdict

    /// What there would have to be more of for it to say anything; nil where that is not what is missing.
    package var shortage: Shortage? {
        guard verdict.reason != nil, let measure else { return nil }
        if let shortage = measure.shortage { return shortage }
        guard measure.missing == nil, measure.count < criterion.least else { return nil }
        return Shortage(of: measure.count, needed: criterion.least)
    }
}
