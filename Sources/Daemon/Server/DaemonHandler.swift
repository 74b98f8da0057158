import Files
import Foundation
import Kernels
import Messages
import PluginHost
import Wire

/// The daemon itself over the wire: how it is, and its end.
struct DaemonHandler {
    let server: AuscultServer

    var methods: [ServerMethod] {
        [
            V1.DaemonRPC.status.handle { _, _ in server.status() }.alsoWhileDraining(),
            V1.DaemonRPC.metrics.handle { _, _ in V1.MetricsText(text: server.metricsText()) },
            V1.DaemonRPC.cancel.handle { request, _ in
                guard server.cancel(subscription: request.subscriptionId) else {
                    throw WireError(
                        .notFound, "no stream has the subscription id \(request.subscriptionId)", reason: "not_found")
                }
                return V1.Empty()
            }.alsoWhileDraining(),
            V1.DaemonRPC.stop.handle { request, _ in
                let timeout = request.drainMs > 0 ? Duration.milliseconds(Int64(request.drainMs)) : nil
                server.requestStop(drainTimeout: timeout)
                return V1.Empty()
            }.alsoWhileDraining(),
        ]
    }
}

extension AuscultServer {
    func status() -> V1.DaemonStatus {
        let calls = wire.calls.map { call in
            V1.CallInfo(
                subscriptionId: call.subscriptionID, method: call.method, seconds: call.seconds,
                peerPid: UInt32(clamping: call.peer.pid))
        }
        let residents = store.residents().map { model in
            V1.ResidentModel(
                name: model.name, sha256: model.digest ?? "", memoryBytes: model.bytes, idleSeconds: model.idleSeconds,
                users: UInt32(clamping: model.users), precision: model.precision.message)
        }
        return V1.DaemonStatus(
            version: auscultVersion, pid: UInt32(clamping: getpid()), socket: socketPath,
            uptimeSeconds: (ContinuousClock.now - began) / .seconds(1), draining: wire.isDraining,
            memoryBytes: ProcessMemory.resident, modelMemoryLimitBytes: store.memoryLimit, models: residents,
            connections: UInt32(clamping: wire.connectionCount),
            connectionLimit: UInt32(clamping: wire.limits.connections), calls: calls,
            queueLength: UInt32(clamping: queue.waiting), queueLimit: UInt32(clamping: queue.limit),
            jobsRunning: UInt32(clamping: jobs.unfinished), idleExitSeconds: configuration.idleExit,
            dataFolder: configuration.dataFolder.path, kernels: V1.KernelStatus.current,
            plugins: V1.PluginConfinement(
                means: ConfinementSupport.description, gaps: ConfinementSupport.gaps),
            keptBytes: UInt64(clamping: captures.bytes + store.keptBytes))
    }
}

extension V1.KernelStatus {
    /// What computes in this process.
    static var current: Self {
        let (form, blas) = (KernelImplementation.current, BLASLibrary.description)
        return Self(
            implementation: form.rawValue, products: form.products, blasVersion: blas.version, blasCore: blas.core,
            warnings: [KernelImplementation.refusedSetting, blas.notice].compactMap { $0 })
    }
}

extension KernelImplementation {
    /// Whose matrix products this form has.
    fileprivate var products: String {
        switch self {
        case .reference: "plain loops"
        case .blas: "OpenBLAS"
        default: "own"
        }
    }
}

/// What the system says about this process.
enum ProcessMemory {
    /// Bytes of it that are in memory; 0 where the system does not say.
    static var resident: UInt64 {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { UInt64($0) } ?? 0
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
