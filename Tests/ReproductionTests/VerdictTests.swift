import Testing

@testable import Reproduction

@Suite("Verdicts") struct VerdictTests {
    private let high = Criterion("a", "share of a", holds: 0.6, partly: 0.3, least: 4, because: "planted")
    private let low = Criterion("b", "errors", .atMost, holds: 0.2, partly: 0.5, because: "planted")

    @Test(
        "a number is judged by its thresholds, which belong to the better side",
        arguments: [
            (1.0, "holds"), (0.6, "holds"), (0.599, "holds_partly"), (0.3, "holds_partly"), (0.299, "does_not_hold"),
            (-1, "does_not_hold"), (.nan, "cannot_be_said"), (.infinity, "cannot_be_said"),
        ])
    func atLeast(value: Double, verdict: String) {
        #expect(high.judge(Measure("a", value, count: 4, "things")).verdict.name == verdict)
    }

    @Test(
        "where less is better, the same the other way around",
        arguments: [
            (0.0, "holds"), (0.2, "holds"), (0.201, "holds_partly"), (0.5, "holds_partly"), (0.501, "does_not_hold"),
        ])
    func atMost(value: Double, verdict: String) {
        #expect(low.judge(Measure("b", value, count: 1, "things")).verdict.name == verdict)
    }

    @Test("a number of too few things says nothing, and the reason says how few")
    func tooFew() {
        let verdict = high.judge(Measure("a", 1, count: 3, "heads")).verdict
        #expect(verdict.reason == "share of a: measured on 3 heads, and 4 are needed")
    }

    @Test("what was not measured says nothing, with its own reason where it has one")
    func missing() {
        #expect(high.judge(nil).verdict.reason == "share of a: it was not measured")
        #expect(high.judge(Measure("a", missing: "no labels")).verdict == .cannotBeSaid("no labels"))
        #expect(high.judge(Measure("a", share: 0, of: 0, "heads")).verdict.reason != nil)
    }

    @Test("too few things are told with how many more recordings would do, and how long those take")
    func shortage() {
        let few = high.judge(Measure("a", 1, count: 3, "heads")).shortage
        // Three of four in six recordings: two more of those.
        #expect(few?.more(than: 6) == 2)
        #expect(
            few?.advice(recordings: 6, seconds: 12)
                == "about 2 more such recordings would do, which take some 4 s here")
        #expect(Shortage(ofRecordings: 5, needed: 20).more(than: 70) == 15)
        #expect(Shortage(ofRecordings: 5, needed: 20).advice(recordings: 1, seconds: 60)?.contains("15 min") == true)
        // Of nothing no rate is known.
        #expect(high.judge(Measure("a", 1, count: 0, "heads")).shortage?.more(than: 6) == nil)
        #expect(high.judge(Measure("a", 1, count: 9, "heads")).shortage == nil)
        #expect(high.judge(Measure("a", missing: "no labels")).shortage == nil)
    }

    private func outcome(_ verdict: Double?, isRequired: Bool = true) -> Outcome {
        let criterion = Criterion("m", "m", holds: 2, partly: 1, because: "planted", isRequired: isRequired)
        return criterion.judge(verdict.map { Measure("m", $0, count: 1, "things") })
    }

    @Test("a claim holds where all criteria hold, does not where none does even partly, and holds partly between")
    func combined() {
        #expect(Verdict(of: [outcome(2), outcome(3)]) == .holds)
        #expect(Verdict(of: [outcome(2), outcome(1)]) == .holdsPartly)
        #expect(Verdict(of: [outcome(2), outcome(0)]) == .holdsPartly)
        #expect(Verdict(of: [outcome(1), outcome(1)]) == .holdsPartly)
        #expect(Verdict(of: [outcome(0), outcome(0)]) == .doesNotHold)
    }

    @Test("without a required number nothing can be said; one that is not required is left aside")
    func required() {
        #expect(Verdict(of: [outcome(2), outcome(nil)]).name == "cannot_be_said")
        #expect(Verdict(of: [outcome(2), outcome(nil, isRequired: false)]) == .holds)
        #expect(Verdict(of: [outcome(nil, isRequired: false)]).name == "cannot_be_said")
        #expect(Verdict(of: []).name == "cannot_be_said")
    }
}
