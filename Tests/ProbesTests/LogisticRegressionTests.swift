import Foundation
import PluginDraws
import Testing

@testable import Probes

@Suite("Logistic regression")
struct LogisticRegressionTests {
    @Test("two classes: the gradient vanishes at the answer, and W's rows are opposite")
    func binary() {
        let rows = FeatureMatrix(features: 1, values: [-2, -1, -0.5, 0.5, 1, 2])
        let labels = [0, 0, 1, 0, 1, 1]
        let fit = LogisticRegression(l2: 0.1).fit(rows, labels: labels, classes: 2)
        #expect(fit.converged)
        let problem = LogisticRegression.Problem(rows: rows, labels: labels, classes: 2, l2: 0.1)
        let gradient = problem.evaluate(fit.probe.weight + fit.probe.bias).gradient
        #expect(gradient.allSatisfy { abs($0) < 1e-6 })
        #expect(abs(fit.probe.weight[0] + fit.probe.weight[1]) < 1e-6)
        #expect(fit.probe.weight[1] > 0)
    }

    @Test("the gradient is the derivative of the objective, by central differences", arguments: [2, 3, 5])
    func gradient(classes: Int) {
        var draws = SplitMix(seed: 7)
        let features = 9  // one vector of eight and a rest
        let rows = FeatureMatrix(
            features: features, values: (0..<(20 * features)).map { _ in .random(in: -1...1, using: &draws) })
        let labels = (0..<20).map { $0 % classes }
        let problem = LogisticRegression.Problem(rows: rows, labels: labels, classes: classes, l2: 0.3)
        let point = (0..<problem.size).map { _ in Double.random(in: -1...1, using: &draws) }
        let gradient = problem.evaluate(point).gradient
        for index in point.indices {
            var (above, below) = (point, point)
            above[index] += 1e-5
            below[index] -= 1e-5
            let slope = (problem.evaluate(above).value - problem.evaluate(below).value) / 2e-5
            #expect(abs(slope - gradient[index]) < 1e-7)
        }
    }

    @Test("where it begins does not change the answer: the problem is strictly convex")
    func start() {
        var draws = SplitMix(seed: 3)
        let rows = FeatureMatrix(features: 4, values: (0..<160).map { _ in .random(in: -1...1, using: &draws) })
        let labels = (0..<40).map { _ in Int.random(in: 0..<3, using: &draws) }
        let cold = LogisticRegression(l2: 0.01).fit(rows, labels: labels, classes: 3)
        let other = LogisticRegression(l2: 10).fit(rows, labels: labels, classes: 3)
        let warm = LogisticRegression(l2: 0.01).fit(rows, labels: labels, classes: 3, from: other.probe)
        #expect(cold.converged && warm.converged)
        for (left, right) in zip(cold.probe.weight + cold.probe.bias, warm.probe.weight + warm.probe.bias) {
            #expect(abs(left - right) < 1e-4)
        }
    }

    @Test("features that vary together, by a thousandfold, take no more steps", arguments: [1, 1e-2, 1e-4])
    func correlated(_ l2: Double) {
        var draws = SplitMix(seed: 11)
        let (count, features) = (400, 24)
        func noise() -> Double { .random(in: -1...1, using: &draws) }
        let mixing = (0..<features).map { _ in (0..<features).map { _ in noise() } }
        var values: [Double] = [], labels: [Int] = []
        for _ in 0..<count {
            let causes = (0..<features).map { noise() * pow(0.75, Double($0)) }
            values += mixing.map { row in zip(row, causes).reduce(0) { $0 + $1.0 * $1.1 } }
            let best = (0..<4).max { causes[$0] < causes[$1] } ?? 0
            labels.append(draws.next() % 10 == 0 ? Int(draws.next() % 4) : best)
        }
        let rows = FeatureMatrix(features: features, values: values)
        let fit = LogisticRegression(l2: l2).fit(rows, labels: labels, classes: 4)
        #expect(fit.converged && fit.iterations < 150, "\(fit.iterations) steps")
    }

    @Test("small penalties are answered as exactly as large ones", arguments: [10, 0.1, 1e-3, 1e-4])
    func smallPenalty(_ l2: Double) {
        // x = −1 and 1, a class each: W = (−w, w), and 2w's logistic says σ(−2w) = λ w. By halving, where it falls through 0.
        var (low, high) = (0.0, 100.0)
        for _ in 0..<200 {
            let w = (low + high) / 2
            if 1 / (1 + exp(2 * w)) > l2 * w { low = w } else { high = w }
        }
        let rows = FeatureMatrix(features: 1, values: [-1, 1])
        let fit = LogisticRegression(l2: l2).fit(rows, labels: [0, 1], classes: 2)
        #expect(fit.converged)
        #expect(abs(fit.probe.weight[1] - low) < 1e-6 * low && abs(fit.probe.weight[0] + low) < 1e-6 * low)
    }

    @Test("a free bias alone gives the classes' shares")
    func bias() {
        let rows = FeatureMatrix(features: 1, values: [0, 0, 0, 0])
        let fit = LogisticRegression(l2: 1).fit(rows, labels: [0, 0, 0, 1], classes: 2)
        #expect(abs(crossEntropy(fit.probe.bias[...], label: 1) + 0.25.logarithm) < 1e-6)
    }
}

extension Double {
    /// ln 0.25 for 0.25: the one that the test needs, written out so that it is no use of what it checks.
    fileprivate var logarithm: Double { self == 0.25 ? -1.3862943611198906 : .nan }
}
