import CoreMetrics
import Messages

/// What the daemon counts and measures.
final class DaemonMetrics: Sendable {
    /// Gauges are asked for their values when somebody looks.
    struct Gauges {
        var connections: @Sendable () -> Int
        var waiting: @Sendable () -> Int
        var running: @Sendable () -> Int
        var jobs: @Sendable () -> Int
        var modelBytes: @Sendable () -> UInt64
    }

    private let registry = MetricsRegistry()

    init() {
        registry.describe("auscult_calls", "Calls that were answered, by method and gRPC code.")
        registry.describe("auscult_call_duration", "Seconds from a request to its end.")
    }

    func observe(_ gauges: Gauges) {
        let kernels = V1.KernelStatus.current
        registry.observe(
            "auscult_kernels",
            "What computes: the form of the kernels, and OpenBLAS with the processor that its own are for.",
            labels: [
                ("implementation", kernels.implementation), ("blas_version", kernels.blasVersion),
                ("blas_core", kernels.blasCore),
            ]
        ) { 1 }
        registry.observe(
            "auscult_kernel_warnings", "What makes computing slower than it could be, by the daemon's status."
        ) {
            Double(kernels.warnings.count)
        }
        registry.observe("auscult_connections", "Connections that are open.") { Double(gauges.connections()) }
        registry.observe("auscult_engine_waiting", "Calls that wait for the engine.") { Double(gauges.waiting()) }
        registry.observe("auscult_engine_running", "Calls that the engine works on.") { Double(gauges.running()) }
        registry.observe("auscult_jobs_unfinished", "Jobs that are queued or run.") { Double(gauges.jobs()) }
        registry.observe("auscult_model_memory_bytes", "Bytes of weights in memory.") { Double(gauges.modelBytes()) }
        registry.observe("process_resident_memory_bytes", "Resident set size.") { Double(ProcessMemory.resident) }
    }

    func callEnded(_ method: String, code: String, _ duration: Duration) {
        Counter(label: "auscult_calls", dimensions: [("method", method), ("code", code)], factory: registry)
            .increment()
        Timer(label: "auscult_call_duration", dimensions: [("method", method)], factory: registry)
            .recordNanoseconds(Int64(clamping: Int128(duration / .nanoseconds(1))))
    }

    var openMetrics: String { registry.openMetrics }
}
