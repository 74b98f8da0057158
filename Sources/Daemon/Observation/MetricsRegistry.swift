import CoreMetrics
import Synchronization

/// Keeps the process's metrics, made through swift-metrics, for ``openMetrics`` to print. Any thread.
///
/// Counters count, meters and recorders that do not aggregate are gauges, recorders that aggregate and timers are
/// histograms; timers are in seconds, and get that ending. Labels should have few values that the program chooses: each
/// combination stays in memory until it is destroyed.
package final class MetricsRegistry: MetricsFactory {
    /// What a name means to a reader.
    private struct Description {
        var help: String?
        var buckets: [Double]?
    }

    private struct State {
        var families: [String: MetricFamily] = [:]
        var descriptions: [String: Description] = [:]
    }

    private let state = Mutex(State())

    /// From half a millisecond to two minutes: a unary call and the transcription of an hour both find their place.
    package static let secondsBuckets: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
    ]

    package init() {}

    /// Says what the metric `label` is about, before or after it is first used.
    /// - Parameter buckets: the upper bounds of a histogram's buckets, rising; they count for histograms made later.
    package func describe(_ label: String, _ help: String, buckets: [Double]? = nil) {
        state.withLock { state in
            state.descriptions[MetricName.described(label)] = Description(help: help, buckets: buckets)
        }
    }

    /// A gauge whose value is asked for when the metrics are printed, on the thread that prints them.
    package func observe(
        _ label: String, _ help: String, labels: [(String, String)] = [], _ value: @escaping @Sendable () -> Double
    ) {
        describe(label, help)
        _ = series(label, labels, .gauge) { ObservedGauge(value) }
    }

    /// The OpenMetrics 1.0 text of everything, families and label sets in alphabetical order.
    package var openMetrics: String {
        // Values are read outside the lock, as those that are asked for may take their time.
        let (families, descriptions) = state.withLock { ($0.families, $0.descriptions) }
        let text = families.sorted { $0.key < $1.key }
            .map { $0.value.openMetrics(name: $0.key, help: descriptions[MetricName.described($0.key)]?.help) }
        return text.joined() + "# EOF\n"
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter) { CounterSeries() }
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, dimensions, .counter) { CounterSeries() }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge) { GaugeSeries() }
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else { return series(label, dimensions, .gauge) { GaugeSeries() } }
        return histogram(label, dimensions)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(MetricName.withSeconds(label), dimensions)
    }

    package func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { destroy(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { destroy(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { destroy(handler) }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramSeries {
        let key = MetricName.described(label)
        let buckets = state.withLock { $0.descriptions[key]?.buckets } ?? Self.secondsBuckets
        return series(label, dimensions, .histogram) { HistogramSeries(buckets: buckets) }
    }

    /// The series of `label` and `dimensions`; two handles of the same metric share one.
    private func series<Series: MetricSeries>(
        _ label: String, _ dimensions: [(String, String)], _ type: MetricFamily.Kind,
        _ make: () -> Series
    ) -> Series {
        let name = MetricName.family(label, type)
        let labels = MetricLabels(dimensions)
        return state.withLock { state in
            var family = state.families[name] ?? MetricFamily(kind: type, series: [:])
            if let existing = family.series[labels] {
                guard let series = existing as? Series else {
                    preconditionFailure("the metric \(name) is a \(family.kind) here and something else there")
                }
                return series
            }
            precondition(family.kind == type, "the metric \(name) is a \(family.kind) here and a \(type) there")
            let series = make()
            family.series[labels] = series
            state.families[name] = family
            return series
        }
    }

    private func destroy(_ handler: AnyObject) {
        state.withLock { state in
            for (name, var family) in state.families {
                family.series = family.series.filter { $0.value !== handler }
                state.families[name] = family.series.isEmpty ? nil : family
            }
        }
    }
}
