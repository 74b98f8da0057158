import CoreMetrics
import Daemon
import Foundation
import Testing

@Suite("Metrics") struct MetricsRegistryTests {
    let registry = MetricsRegistry()

    private func counter(_ label: String, _ labels: [(String, String)] = []) -> Counter {
        Counter(label: label, dimensions: labels, factory: registry)
    }

    @Test("nothing is the end alone")
    func empty() {
        #expect(registry.openMetrics == "# EOF\n")
    }

    @Test("counters and gauges are families in order, with help, and labels in order")
    func families() {
        registry.describe("auscult_calls", "Calls that were answered.")
        counter("auscult_calls_total", [("method", "Trace/Run"), ("code", "OK")]).increment(by: 3)
        counter("auscult_calls", [("code", "INTERNAL"), ("method", "Trace/Run")]).increment()
        counter("auscult_calls", [("code", "OK"), ("method", "Trace/Run")]).increment()
        FloatingPointCounter(label: "auscult.audio.seconds", factory: registry).increment(by: 1.25)
        Meter(label: "auscult_connections", factory: registry).set(5)
        registry.observe("auscult_memory_bytes", "Resident memory.") { 1024 }
        #expect(
            registry.openMetrics == """
                # TYPE auscult_audio_seconds counter
                # UNIT auscult_audio_seconds seconds
                auscult_audio_seconds_total 1.25
                # TYPE auscult_calls counter
                # HELP auscult_calls Calls that were answered.
                auscult_calls_total{code="INTERNAL",method="Trace/Run"} 1
                auscult_calls_total{code="OK",method="Trace/Run"} 4
                # TYPE auscult_connections gauge
                auscult_connections 5
                # TYPE auscult_memory_bytes gauge
                # UNIT auscult_memory_bytes bytes
                # HELP auscult_memory_bytes Resident memory.
                auscult_memory_bytes 1024
                # EOF

                """)
    }

    @Test("a histogram's buckets add up, and its count and sum follow them")
    func histogram() {
        registry.describe("wait", "Time in the queue.", buckets: [0.5, 1, 2.5])
        let timer = Timer(label: "wait", dimensions: [("m", "x")], factory: registry)
        for nanoseconds in [500_000_000, 500_000_001, 2_000_000_000, 9_000_000_000] as [Int64] {
            timer.recordNanoseconds(nanoseconds)
        }
        #expect(
            registry.openMetrics == """
                # TYPE wait_seconds histogram
                # UNIT wait_seconds seconds
                # HELP wait_seconds Time in the queue.
                wait_seconds_bucket{m="x",le="0.5"} 1
                wait_seconds_bucket{m="x",le="1.0"} 2
                wait_seconds_bucket{m="x",le="2.5"} 3
                wait_seconds_bucket{m="x",le="+Inf"} 4
                wait_seconds_count{m="x"} 4
                wait_seconds_sum{m="x"} 12.000000001
                # EOF

                """)
    }

    @Test("a recorder that aggregates is a histogram, one that does not a gauge")
    func recorders() {
        registry.describe("size", "Bytes.", buckets: [10])
        let size = Recorder(label: "size", aggregate: true, factory: registry)
        size.record(10)
        size.record(11)
        size.record(Double.nan)
        Gauge(label: "last", factory: registry).record(-0.5)
        #expect(
            registry.openMetrics == """
                # TYPE last gauge
                last -0.5
                # TYPE size histogram
                # HELP size Bytes.
                size_bucket{le="10.0"} 1
                size_bucket{le="+Inf"} 2
                size_count 2
                size_sum 21
                # EOF

                """)
    }

    @Test("names are made fit, and values and help are escaped")
    func escaping() {
        registry.describe("2.a-b", "Line\none \\ \"two\".")
        counter("2.a-b", [("k:ey", "a\"b\\c\nd"), ("", "é")]).increment()
        #expect(
            registry.openMetrics == #"""
                # TYPE _2_a_b counter
                # HELP _2_a_b Line\none \\ \"two\".
                _2_a_b_total{_="é",k_ey="a\"b\\c\nd"} 1
                # EOF

                """#)
    }

    @Test("numbers that are none, endless or whole are written as OpenMetrics has them")
    func numbers() {
        let values = [Double.nan, .infinity, -.infinity, 1e300, -3, 0.1, 1e15]
        for (index, value) in values.enumerated() {
            Meter(label: "m\(index)", factory: registry).set(value)
        }
        let written = registry.openMetrics.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(written == ["m0 NaN", "m1 +Inf", "m2 -Inf", "m3 1e+300", "m4 -3", "m5 0.1", "m6 1000000000000000.0"])
    }

    @Test("a counter never falls")
    func monotonic() {
        let counter = FloatingPointCounter(label: "c", factory: registry)
        counter.increment(by: 2)
        counter.increment(by: -1.0)
        counter.increment(by: Double.infinity)
        #expect(registry.openMetrics.contains("\nc_total 2\n"))
        counter.reset()
        #expect(registry.openMetrics.contains("\nc_total 0\n"))
    }

    @Test("what is destroyed is printed no more")
    func destroyed() {
        let one = counter("c", [("a", "1")])
        let two = counter("c", [("a", "2")])
        one.increment()
        two.increment()
        one.destroy()
        #expect(registry.openMetrics == "# TYPE c counter\nc_total{a=\"2\"} 1\n# EOF\n")
        two.destroy()
        #expect(registry.openMetrics == "# EOF\n")
    }

    @Test("increments from many threads are all counted")
    func threads() async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "c", factory: registry)
                    for _ in 0..<1000 { counter.increment() }
                }
            }
        }
        #expect(registry.openMetrics.contains("c_total 8000\n"))
    }
}
