import CoreMetrics
import Synchronization

/// The values of one metric with one set of labels.
protocol MetricSeries: AnyObject, Sendable {
    /// What is printed: the ending of the name, a label of its own, the value.
    var samples: [MetricSample] { get }
}

struct MetricSample {
    var suffix = ""
    var label: (String, String)?
    let value: Double
}

final class CounterSeries: MetricSeries, CounterHandler, FloatingPointCounterHandler {
    private let value = Mutex(0.0)

    func increment(by amount: Int64) { increment(by: Double(amount)) }

    /// A counter never falls: what is negative or no number is left out.
    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        value.withLock { $0 += amount }
    }

    func reset() { value.withLock { $0 = 0 } }

    var samples: [MetricSample] { [MetricSample(suffix: "_total", value: value.withLock { $0 })] }
}

final class GaugeSeries: MetricSeries, MeterHandler, RecorderHandler {
    private let value = Mutex(0.0)

    func set(_ new: Int64) { set(Double(new)) }
    func set(_ new: Double) { value.withLock { $0 = new } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ new: Int64) { set(Double(new)) }
    func record(_ new: Double) { set(new) }

    var samples: [MetricSample] { [MetricSample(value: value.withLock { $0 })] }
}

/// Asks for its value.
final class ObservedGauge: MetricSeries {
    private let value: @Sendable () -> Double
    init(_ value: @escaping @Sendable () -> Double) { self.value = value }

    var samples: [MetricSample] { [MetricSample(value: value())] }
}

final class HistogramSeries: MetricSeries, RecorderHandler, TimerHandler {
    private struct State {
        /// Observations at most as large as each bound and larger than the one before; the last has no bound.
        var counts: [UInt64]
        var sum = 0.0
    }

    private let buckets: [Double]
    private let state: Mutex<State>

    /// - Parameter buckets: rising upper bounds, without the infinite one.
    init(buckets: [Double]) {
        self.buckets = buckets
        self.state = Mutex(State(counts: Array(repeating: 0, count: buckets.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = buckets.firstIndex { value <= $0 } ?? buckets.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    var samples: [MetricSample] {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        var total: UInt64 = 0
        var samples = zip(buckets + [.infinity], counts).map { bound, count in
            total += count
            return MetricSample(
                suffix: "_bucket", label: ("le", OpenMetricsText.canonical(bound)), value: Double(total))
        }
        samples.append(MetricSample(suffix: "_count", value: Double(total)))
        samples.append(MetricSample(suffix: "_sum", value: sum))
        return samples
    }
}
