import Kernels
import Synchronization

/// A model in memory, for the status.
public struct ResidentModel: Sendable, Equatable {
    public let name: String
    public let precision: Precision
    /// SHA-256 of its weights, where somebody asked for it before.
    public let digest: String?
    /// Of its weights, at most.
    public let bytes: UInt64
    /// Since it was used last.
    public let idleSeconds: Double
    /// Leases on it now.
    public let users: Int

    package init(
        name: String, precision: Precision = .exact, digest: String?, bytes: UInt64, idleSeconds: Double, users: Int
    ) {
        self.name = name
        self.precision = precision
        self.digest = digest
        self.bytes = bytes
        self.idleSeconds = idleSeconds
        self.users = users
    }
}

/// The use of a model from a ``ModelStore``; it ends when the value goes.
public final class ModelLease: Sendable {
    public let model: LoadedModel
    private let end: @Sendable () -> Void

    init(model: LoadedModel, end: @escaping @Sendable () -> Void) {
        self.model = model
        self.end = end
    }

    deinit { end() }
}

/// What a store knows about a model that it opened.
final class Resident: Sendable {
    struct Use {
        var users = 0
        var lastUsed = ContinuousClock.now
        /// Whether it is what its name means, as far as the store knows.
        var isCurrent = true
    }

    let model: LoadedModel
    let key: ModelStore.Key
    let origin: ModelOrigin
    let stamps: [FileStamp]
    private let state = Mutex(Use())

    init(model: LoadedModel, key: ModelStore.Key, origin: ModelOrigin, stamps: [FileStamp]) {
        self.model = model
        self.key = key
        self.origin = origin
        self.stamps = stamps
    }

    var use: Use { state.withLock { $0 } }
    func update(_ change: (inout Use) -> Void) { state.withLock { change(&$0) } }
}
