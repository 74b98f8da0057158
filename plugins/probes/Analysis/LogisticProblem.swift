import Foundation

extension LogisticRegression {
    /// The objective and its gradient with respect to W (row-major) and, behind it, b.
    struct Problem {
        let rows: FeatureMatrix
        let labels: [Int]
        let classes: Int
        let l2: Double

        var size: Int { classes * (rows.features + 1) }

        func evaluate(_ point: [Double]) -> (value: Double, gradient: [Double]) {
            let features = rows.features
            var gradient = [Double](repeating: 0, count: point.count)
            var loss = 0.0
            var residual = [Double](repeating: 0, count: classes)
            let share = 1 / Double(rows.count)
            point.withUnsafeBufferPointer { point in
                gradient.withUnsafeMutableBufferPointer { gradient in
                    for row in 0..<rows.count {
                        rows.withRow(row) { values in
                            for index in 0..<classes {
                                let weight = UnsafeBufferPointer(
                                    rebasing: point[(index * features)...].prefix(features))
                                residual[index] = point[classes * features + index] + dot(values, weight)
                            }
                            loss += share * subtractSoftmax(&residual, label: labels[row])
                            for index in 0..<classes {
                                let factor = share * residual[index]
                                let line = UnsafeMutableBufferPointer(
                                    rebasing: gradient[(index * features)...].prefix(features))
                                for entry in 0..<features { line[entry] += factor * values[entry] }
                                gradient[classes * features + index] += factor
                            }
                        }
                    }
                    for entry in 0..<(classes * features) {
                        loss += l2 / 2 * point[entry] * point[entry]
                        gradient[entry] += l2 * point[entry]
                    }
                }
            }
            return (loss, gradient)
        }

        /// Logits in, softmax − one-hot out. -> the cross-entropy.
        private func subtractSoftmax(_ logits: inout [Double], label: Int) -> Double {
            let loss = crossEntropy(logits[...], label: label)
            let peak = logits.max() ?? 0
            var sum = 0.0
            for index in logits.indices {
                logits[index] = exp(logits[index] - peak)
                sum += logits[index]
            }
            for index in logits.indices { logits[index] /= sum }
            logits[label] -= 1
            return loss
        }
    }
}

/// −log softmax(logits)[label]
func crossEntropy(_ logits: ArraySlice<Double>, label: Int) -> Double {
    let peak = logits.max() ?? 0
    return peak + log(logits.reduce(0) { $0 + exp($1 - peak) }) - logits[logits.startIndex + label]
}

func product(_ left: [Double], _ right: [Double]) -> Double {
    left.withUnsafeBufferPointer { left in right.withUnsafeBufferPointer { dot(left, $0) } }
}

/// Eight sums side by side: a single one would forbid the compiler to use vectors, as it may not reorder additions.
func dot(_ left: UnsafeBufferPointer<Double>, _ right: UnsafeBufferPointer<Double>) -> Double {
    assert(left.count == right.count)
    var sums = SIMD8<Double>(repeating: 0)
    let whole = left.count & ~7
    let (first, second) = (UnsafeRawBufferPointer(left), UnsafeRawBufferPointer(right))
    for start in stride(from: 0, to: whole * 8, by: 64) {
        sums +=
            first.loadUnaligned(fromByteOffset: start, as: SIMD8<Double>.self)
            * second.loadUnaligned(fromByteOffset: start, as: SIMD8<Double>.self)
    }
    var sum = sums.sum()
    for index in whole..<left.count { sum += left[index] * right[index] }
    return sum
}
