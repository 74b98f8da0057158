/// What a model's numbers say of a claim. It is computed from thresholds (``Criterion``), never asserted.
package enum Verdict: Sendable, Equatable {
    case holds
    case holdsPartly
    case doesNotHold
    /// There are no numbers, or too few; the sentence says why.
    case cannotBeSaid(String)

    /// As it is called in files: an open set for readers.
    package var name: String {
        switch self {
        case .holds: "holds"
        case .holdsPartly: "holds_partly"
        case .doesNotHold: "does_not_hold"
        case .cannotBeSaid: "cannot_be_said"
        }
    }

    /// As people read it.
    package var words: String {
        switch self {
        case .holds: "holds"
        case .holdsPartly: "holds partly"
        case .doesNotHold: "does not hold"
        case .cannotBeSaid: "cannot be said"
        }
    }

    /// Why it cannot be said; nil where it can.
    package var reason: String? {
        if case .cannotBeSaid(let reason) = self { reason } else { nil }
    }

    /// What several criteria say together: the claim holds where all of them do, and does not where none does even
    /// partly. Where one that is required has no number, nothing can be said; one that is not required is then left
    /// aside.
    package init(of outcomes: [Outcome]) {
        for outcome in outcomes where outcome.criterion.isRequired {
            if let reason = outcome.verdict.reason {
                self = .cannotBeSaid(reason)
                return
            }
        }
        let said = outcomes.filter { $0.verdict.reason == nil }
        if said.isEmpty {
            self = .cannotBeSaid(outcomes.lazy.compactMap(\.verdict.reason).first ?? "nothing was measured")
        } else if said.allSatisfy({ $0.verdict == .holds }) {
            self = .holds
        } else if said.allSatisfy({ $0.verdict == .doesNotHold }) {
            self = .doesNotHold
        } else {
            self = .holdsPartly
        }
    }
}
