import PluginStatistics
import Testing

@testable import Probes

@Suite("Figures of a classifier")
struct FiguresTests {
    @Test("AUC against values by hand, ties counted half")
    func area() {
        #expect(Ranks.areaUnderCurve([0.1, 0.4, 0.35, 0.8], positive: [false, false, true, true]) == 0.75)
        #expect(Ranks.areaUnderCurve([1, 1, 1, 1], positive: [false, true, false, true]) == 0.5)
        #expect(Ranks.areaUnderCurve([3, 2, 1], positive: [true, false, false]) == 1)
        #expect(Ranks.areaUnderCurve([1, 2, 2, 3], positive: [true, false, true, false]) == 0.125)
        #expect(Ranks.areaUnderCurve([1, 2], positive: [true, true]).isNaN)
    }

    @Test("accuracy, macro-F1 and the confusion matrix against values by hand")
    func confusion() {
        let scores = [0.9, 0.1, 0.8, 0.2, 0.3, 0.7, 0.6, 0.4]
        let figures = Figures(scores: scores, labels: [0, 0, 1, 1], classes: 2)
        #expect(figures.accuracy == 0.75)
        #expect(figures.confusion == [2, 0, 1, 1])
        #expect(abs(figures.macroF1 - (4.0 / 5 + 2.0 / 3) / 2) < 1e-15)
        #expect(figures.areaUnderCurve == 1)
    }

    @Test("several classes: AUC is the mean of each against the rest, and a class without rows is left out")
    func oneAgainstRest() {
        let scores = [0.7, 0.2, 0.1, 0.3, 0.6, 0.1, 0.6, 0.3, 0.1]
        let figures = Figures(scores: scores, labels: [0, 1, 1], classes: 3)
        // Class 0: 0.7 against 0.3, 0.6: 1. Class 1: 0.6, 0.3 against 0.2: 1. Class 2 has no row.
        #expect(figures.areaUnderCurve == 1)
        #expect(abs(figures.accuracy - 2.0 / 3) < 1e-15)
    }

    @Test("standardisation: mean 0 and deviation 1 over its own rows; what does not change becomes 0")
    func standardisation() {
        let rows = FeatureMatrix(features: 2, values: [1, 5, 3, 5])
        let standard = Standardisation(over: rows)
        #expect(standard.apply(rows).values == [-1, 0, 1, 0])
        #expect(standard.deviation == [1, 1])
    }

    @Test("the bootstrap: the same for a seed, a point for equal groups, and no interval for one group")
    func bootstrap() {
        let groups = [(right: 3.0, all: 4.0), (right: 1.0, all: 4.0), (right: 4.0, all: 4.0)]
        let first = Study.bootstrap(groups, seed: 5)
        #expect(first == Study.bootstrap(groups, seed: 5))
        #expect(first.low >= 0.25 && first.low < 8.0 / 12 && first.high > 8.0 / 12 && first.high <= 1)
        let equal = Study.bootstrap([(right: 1.0, all: 2.0), (right: 2.0, all: 4.0)], seed: 1)
        #expect(equal == (0.5, 0.5))
        #expect(Study.bootstrap([(right: 1.0, all: 2.0)], seed: 1).low.isNaN)
    }
}
