import Foundation
import Kernels

extension LogisticRegression {
    /// The objective and its gradient with respect to W (row-major) and, behind it, b.
    struct Problem {
        let rows: FeatureMatrix
        let labels: [Int]
        let classes: Int
        let l2: Double

        var size: Int { classes * (rows.features + 1) }

        /// Rows that are taken at a time: they are still in the nearest caches when their part of the gradient is made.
        private static let block = 32
        /// Parts of the rows that threads take, each with a gradient of its own; as many as there are rows for, whatever the threads.
        private static let parts = 16, leastPart = 8 * block

        func evaluate(_ point: [Double]) -> (value: Double, gradient: [Double]) {
            let weights = classes * rows.features
            let logits = Logits(point, classes: classes, features: rows.features)
            let part = max(Self.leastPart, ((rows.count + Self.parts - 1) / Self.parts).rounded(upTo: Self.block))
            let parts = max(1, (rows.count + part - 1) / part)
            var gradients = [Double](repeating: 0, count: parts * size)
            var losses = [Double](repeating: 0, count: parts)
            func run(
                _ gradients: UnsafeMutablePointer<Double>, _ losses: UnsafeMutablePointer<Double>,
                _ values: UnsafePointer<Double>
            ) {
                Parallel.blocks(of: part, in: rows.count) { range in
                    let number = range.lowerBound / part
                    losses[number] = add(range, values, logits, to: gradients + number * size)
                }
            }
            run(&gradients, &losses, rows.values)
            var gradient = Array(gradients[..<size])
            for number in 1..<parts {
                for entry in 0..<size { gradient[entry] += gradients[number * size + entry] }
            }
            var loss = losses.reduce(0, +)
            for entry in 0..<weights {
                loss += l2 / 2 * point[entry] * point[entry]
                gradient[entry] += l2 * point[entry]
            }
            return (loss, gradient)
        }

        /// Of each row, the mean over the classes of p(1 − p).
        func weights(_ point: [Double]) -> [Double] {
            var probe = LinearProbe(classes: classes, features: rows.features)
            probe.weight = Array(point[..<(classes * rows.features)])
            probe.bias = Array(point[(classes * rows.features)...])
            let logits = probe.logits(rows)
            return (0..<rows.count).map { row in
                let line = logits[row * classes..<(row + 1) * classes]
                let peak = line.max() ?? 0
                let sum = line.reduce(0) { $0 + exp($1 - peak) }
                let squares = line.reduce(0) { $0 + exp(2 * ($1 - peak)) } / (sum * sum)
                return max(0, 1 - squares) / Double(classes)
            }
        }

        /// Adds the gradient of some rows. -> their share of the loss.
        private func add(
            _ range: Range<Int>, _ values: UnsafePointer<Double>, _ logits: Logits,
            to gradient: UnsafeMutablePointer<Double>
        ) -> Double {
            let (features, stride, share) = (rows.features, logits.stride, 1 / Double(rows.count))
            var loss = 0.0
            withUnsafeTemporaryAllocation(of: Double.self, capacity: (stride + classes) * Self.block) { room in
                guard let room = room.baseAddress else { return }
                // A row of residuals for each class: the left side of the gradient's product.
                let residuals = room + stride * Self.block
                for start in Swift.stride(from: range.lowerBound, to: range.upperBound, by: Self.block) {
                    let count = min(Self.block, range.upperBound - start)
                    let block = values + start * features
                    logits.write(block, count, into: room)
                    for row in 0..<count {
                        let line = UnsafeMutableBufferPointer(start: room + row * stride, count: classes)
                        loss += share * subtractSoftmax(line, label: labels[start + row])
                        for index in 0..<classes {
                            let residual = share * line[index]
                            residuals[index * Self.block + row] = residual
                            gradient[classes * features + index] += residual
                        }
                    }
                    DoubleProduct.multiply(
                        m: classes, n: features, k: count, residuals, lda: Self.block, block, ldb: features,
                        into: gradient, ldc: features, accumulating: true)
                }
            }
            return loss
        }

        /// Logits in, softmax − one-hot out. -> the cross-entropy.
        private func subtractSoftmax(_ logits: UnsafeMutableBufferPointer<Double>, label: Int) -> Double {
            let peak = logits.max() ?? 0
            let own = logits[label]
            var sum = 0.0
            for index in logits.indices {
                logits[index] = exp(logits[index] - peak)
                sum += logits[index]
            }
            for index in logits.indices { logits[index] /= sum }
            logits[label] -= 1
            return peak + log(sum) - own
        }
    }
}

extension Int {
    fileprivate func rounded(upTo step: Int) -> Int { (self + step - 1) / step * step }
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
