import Foundation
import Kernels

/// A linear classifier with bias: logits = W z + b, over standardised features z = (x − mean) / std.
struct LinearProbe: Sendable, Equatable {
    /// [classes, features], row-major.
    var weight: [Double]
    /// [classes]
    var bias: [Double]
    let classes: Int
    let features: Int

    init(classes: Int, features: Int) {
        self.weight = [Double](repeating: 0, count: classes * features)
        self.bias = [Double](repeating: 0, count: classes)
        self.classes = classes
        self.features = features
    }

    /// Logits of each row, [rows, classes].
    func logits(_ rows: FeatureMatrix) -> [Double] {
        let all = Logits(weight + bias, classes: classes, features: features)
        var logits = [Double](repeating: 0, count: rows.count * classes)
        func run(_ logits: UnsafeMutablePointer<Double>, _ values: UnsafePointer<Double>) {
            Parallel.blocks(of: 64, in: rows.count) { range in
                withUnsafeTemporaryAllocation(of: Double.self, capacity: range.count * all.stride) { room in
                    guard let room = room.baseAddress else { return }
                    all.write(values + range.lowerBound * features, range.count, into: room)
                    for row in range {
                        (logits + row * classes)
                            .update(from: room + (row - range.lowerBound) * all.stride, count: classes)
                    }
                }
            }
        }
        run(&logits, rows.values)
        return logits
    }
}

/// How a fit ended.
struct Fit: Sendable {
    let probe: LinearProbe
    /// Steps of L-BFGS.
    let iterations: Int
    /// Whether the largest entry of the gradient fell below ``LogisticRegression/tolerance``.
    let converged: Bool
}

/// Multinomial logistic regression on logits:
///
///     minimise  1/n Σ −log softmax(W zᵢ + b)[yᵢ]  +  λ/2 ‖W‖²        (the bias is free)
///
/// For λ > 0 it is strictly convex in W, so the answer is one and the solver does not matter; b is one up to a constant
/// added to all its entries, and the solver, which begins at 0, keeps their sum there. Two classes are the same problem
/// with two rows. L-BFGS (Liu and Nocedal 1989) in double precision, which begins with the inverse of a ``Curvature``: Newton's
/// Hessian of classes × features squared would not fit for phonemes on a wide model, and Adam has no end that one can check.
struct LogisticRegression: Sendable {
    var l2: Double
    /// The fit has converged where no entry of the gradient is larger. Features are standardised, so this has a scale; and W
    /// is as far from the answer as the gradient is large, over λ (the objective is λ-strongly convex in W), so the bound
    /// shrinks with λ. With 1e-7 for λ = 1e-4, losses of rows that training never saw were wrong in the third digit.
    var tolerance: Double { 1e-7 * min(1, max(l2, 1e-6)) }
    var iterations = 2000
    private static let memory = 12
    /// Steps after which the curvature is taken anew: probabilities near 0 and 1 flatten it.
    private static let refresh = 30

    init(l2: Double) { self.l2 = l2 }

    /// - Parameters:
    ///   - labels: for each row, its class in 0..<classes.
    ///   - start: where to begin: another penalty's answer saves steps and changes nothing else.
    ///   - onStep: called before each step, with the number of those before; what it throws ends the fit.
    func fit(
        _ rows: FeatureMatrix, labels: [Int], classes: Int, from start: LinearProbe? = nil,
        onStep: (Int) throws -> Void
    ) rethrows -> Fit {
        precondition(labels.count == rows.count && rows.count > 0, "a label for each row")
        let problem = Problem(rows: rows, labels: labels, classes: classes, l2: l2)
        var point = start.map { $0.weight + $0.bias } ?? [Double](repeating: 0, count: problem.size)
        var (value, gradient) = problem.evaluate(point)
        var history: [Correction] = []
        var step = 0
        var inverse = Curvature(rows, weights: problem.weights(point)).inverse(l2: l2)
        while step < iterations, norm(gradient) > tolerance {
            try onStep(step)
            if step > 0, step.isMultiple(of: Self.refresh) {
                inverse = Curvature(rows, weights: problem.weights(point)).inverse(l2: l2)
            }
            var direction = descent(gradient, history, inverse, classes)
            var slope = product(gradient, direction)
            if slope >= 0 {  // a stale history: begin again along the gradient
                history = []
                direction = descent(gradient, history, inverse, classes)
                slope = product(gradient, direction)
            }
            guard let next = search(problem, point, direction, value: value, slope: slope) else { break }
            let correction = Correction(
                step: difference(next.point, point), change: difference(next.gradient, gradient))
            if correction.curvature > 0 {
                history.append(correction)
                if history.count > Self.memory { history.removeFirst() }
            }
            (point, value, gradient) = (next.point, next.value, next.gradient)
            step += 1
        }
        var probe = LinearProbe(classes: classes, features: rows.features)
        probe.weight = Array(point.prefix(classes * rows.features))
        probe.bias = Array(point.suffix(classes))
        return Fit(probe: probe, iterations: step, converged: norm(gradient) <= tolerance)
    }

    /// The same, without a word on the way.
    func fit(_ rows: FeatureMatrix, labels: [Int], classes: Int, from start: LinearProbe? = nil) -> Fit {
        fit(rows, labels: labels, classes: classes, from: start) { _ in }
    }

    private struct Point {
        let point: [Double]
        let value: Double
        let gradient: [Double]
    }

    /// Halves the step until the value falls enough (Armijo). Near the answer a fall drowns in rounding: there a step that
    /// does not raise the value by more than that, and flattens the slope, is taken (Hager and Zhang's condition).
    private func search(
        _ problem: Problem, _ point: [Double], _ direction: [Double], value: Double, slope: Double
    ) -> Point? {
        var length = 1.0
        for _ in 0..<60 {
            var next = point
            for index in next.indices { next[index] += length * direction[index] }
            let (candidate, gradient) = problem.evaluate(next)
            let falls = candidate <= value + 1e-4 * length * slope
            let flattens =
                candidate <= value + 1e-13 * abs(value) && abs(product(gradient, direction)) <= 0.9 * abs(slope)
            if candidate.isFinite, falls || flattens { return Point(point: next, value: candidate, gradient: gradient) }
            length /= 2
        }
        return nil
    }

    /// The two loops: the inverse Hessian that the corrections stand for, beginning with `inverse`, times −gradient.
    private func descent(
        _ gradient: [Double], _ history: [Correction], _ inverse: Curvature.Inverse, _ classes: Int
    ) -> [Double] {
        var direction = gradient.map { -$0 }
        var shares = [Double](repeating: 0, count: history.count)
        for index in history.indices.reversed() {
            let pair = history[index]
            shares[index] = product(pair.step, direction) / pair.curvature
            for entry in direction.indices { direction[entry] -= shares[index] * pair.change[entry] }
        }
        direction = inverse.applied(to: direction, classes: classes)
        if let last = history.last {
            let changed = inverse.applied(to: last.change, classes: classes)
            let scale = last.curvature / product(last.change, changed)
            for entry in direction.indices { direction[entry] *= scale }
        }
        for (index, pair) in history.enumerated() {
            let share = shares[index] - product(pair.change, direction) / pair.curvature
            for entry in direction.indices { direction[entry] += share * pair.step[entry] }
        }
        return direction
    }

    private struct Correction {
        let step: [Double]
        let change: [Double]
        let curvature: Double

        init(step: [Double], change: [Double]) {
            self.step = step
            self.change = change
            self.curvature = product(step, change)
        }
    }

    private func norm(_ gradient: [Double]) -> Double { gradient.reduce(0) { max($0, abs($1)) } }

    private func difference(_ left: [Double], _ right: [Double]) -> [Double] {
        var result = left
        for index in result.indices { result[index] -= right[index] }
        return result
    }
}
