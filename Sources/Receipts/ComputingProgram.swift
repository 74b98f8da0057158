import Client
import Messages

/// The program that computes, as far as results depend on it.
package struct ComputingProgram: Sendable, Hashable {
    /// Of auscult.
    package var version: String
    /// The form of the kernels: "avx512". Another one rounds otherwise.
    package var kernels: String

    package init(version: String, kernels: String) { (self.version, self.kernels) = (version, kernels) }

    /// As a daemon's status has it.
    package init(_ daemon: DaemonConnection) async throws {
        let status = try await daemon.call(V1.DaemonRPC.status, .init())
        self.init(version: status.version, kernels: status.kernels?.implementation ?? "")
    }
}
