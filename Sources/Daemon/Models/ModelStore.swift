import Kernels
import Synchronization
import Whisper

/// The models in memory: each opened once, and those that were used least recently let go past a limit.
///
/// One checkpoint in two precisions is two models. A model stays the same instance as long as its name means the same files, and those are unchanged; otherwise it is
/// opened anew, and who uses the old one keeps it. Opening one model waits for nobody who uses or opens another.
public final class ModelStore: Sendable {
    /// Bytes of weights past which models are let go. Those in use are never let go, and neither is the last that was
    /// used, so a model that is larger than the limit can be used as well.
    public let memoryLimit: UInt64

    let service: ModelService
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    struct Key: Hashable {
        let name: String
        let vocabulary: String?
        let precision: Precision
    }

    /// The place of one name: whoever opens it holds the lock, so that two do not.
    private final class Slot: Sendable {
        let resident = Mutex<Resident?>(nil)
    }

    private struct State {
        var slots: [Key: Slot] = [:]
        /// What the slots hold, and what they held before as long as somebody uses it.
        var residents: [Resident] = []
    }

    public convenience init(service: ModelService, memoryLimit: UInt64) {
        self.init(service: service, memoryLimit: memoryLimit, now: { .now })
    }

    /// - Parameter now: the clock; tests move it by hand.
    package init(
        service: ModelService, memoryLimit: UInt64, now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        self.service = service
        self.memoryLimit = memoryLimit
        self.now = now
    }

    // MARK: - Models

    /// The model that `reference` means, opened now if it was not yet. For looking at it; to run it, ``lease(_:vocabulary:precision:)``.
    /// - Throws: what ``ModelService/open(_:vocabulary:)`` throws; ``WhisperError`` (`unsupported`) for a precision that this
    ///   processor has not. May block while the file is opened.
    public func model(
        _ reference: String?, vocabulary: String? = nil, precision: Precision = .exact
    ) throws -> LoadedModel {
        try resident(reference, vocabulary, precision, isUser: false).model
    }

    /// The model where it is open and nobody is just opening it anew; nil where files would have to be waited for.
    func opened(_ reference: String?, vocabulary: String?, precision: Precision) -> LoadedModel? {
        let key = Key(name: reference ?? EmbeddedModel.name, vocabulary: vocabulary, precision: precision)
        let slot = state.withLock { $0.slots[key] }
        return slot?.resident.withLockIfAvailable { $0?.model } ?? nil
    }

    /// The same, for somebody who runs it: as long as the lease lives, its weights count as used.
    public func lease(
        _ reference: String?, vocabulary: String? = nil, precision: Precision = .exact
    ) throws -> ModelLease {
        let resident = try resident(reference, vocabulary, precision, isUser: true)
        trim(keeping: resident)
        return ModelLease(model: resident.model) { [self] in
            resident.update {
                $0.users -= 1
                $0.lastUsed = now()
            }
            trim(keeping: nil)
        }
    }

    /// Runs `body` with a leased model.
    public func withModel<R>(
        _ reference: String?, vocabulary: String? = nil, precision: Precision = .exact,
        _ body: (LoadedModel) throws -> R
    ) throws -> R {
        let lease = try lease(reference, vocabulary: vocabulary, precision: precision)
        defer { withExtendedLifetime(lease) {} }
        return try body(lease.model)
    }

    private func resident(
        _ reference: String?, _ vocabulary: String?, _ precision: Precision, isUser: Bool
    ) throws -> Resident {
        if let refusal = precision.refusal { throw WhisperError(.unsupported, refusal) }
        let key = Key(name: reference ?? EmbeddedModel.name, vocabulary: vocabulary, precision: precision)
        let origin = try service.origin(of: reference, vocabulary: vocabulary, absolutely: true)
        let slot = state.withLock { state in
            if let slot = state.slots[key] { return slot }
            let slot = Slot()
            state.slots[key] = slot
            return slot
        }
        return try slot.resident.withLock { current in
            let stamps = origin.stamps
            if let current, current.origin == origin, current.stamps == stamps {
                keep(current, in: slot, isUser: isUser)
                return current
            }
            if let old = current.take() { retire(old) }
            let fresh: Resident
            do {
                fresh = Resident(
                    model: try service.open(origin, precision: precision), key: key, origin: origin, stamps: stamps)
            } catch {
                state.withLock { if $0.slots[key] === slot { $0.slots[key] = nil } }
                throw error
            }
            current = fresh
            keep(fresh, in: slot, isUser: isUser)
            return fresh
        }
    }

    /// Counts a use. The slot is put back where it was taken out meanwhile.
    private func keep(_ resident: Resident, in slot: Slot, isUser: Bool) {
        state.withLock { state in
            let owner = state.slots[resident.key, default: slot]
            state.slots[resident.key] = owner
            if !state.residents.contains(where: { $0 === resident }) { state.residents.append(resident) }
            resident.update {
                $0.isCurrent = owner === slot
                $0.users += isUser ? 1 : 0
                $0.lastUsed = now()
            }
        }
    }

    private func retire(_ old: Resident) {
        state.withLock { state in
            old.update { $0.isCurrent = false }
            if old.use.users == 0 { state.residents.removeAll { $0 === old } }
        }
    }

    /// Lets a registered model go that was removed; who uses it keeps it.
    func forget(_ name: String) {
        let slots = state.withLock { state in
            let keys = state.residents.filter { resident in
                if case .files(let entry) = resident.origin { entry.name == name } else { false }
            }.map(\.key)
            return keys.compactMap { state.slots.removeValue(forKey: $0) }
        }
        for slot in slots {
            let old = slot.resident.withLock { $0.take() }
            if let old { retire(old) }
        }
    }

    // MARK: - Memory

    /// Bytes of the weights that are in memory, those of replaced models that are still in use among them.
    public var memoryBytes: UInt64 { state.withLock { Self.bytes($0.residents, counting: nil) } }

    /// Bytes of the encoder's outputs that models keep for whoever asks of the same sound next.
    public var keptBytes: Int { state.withLock { $0.residents.reduce(0) { $0 + $1.model.keptBytes } } }

    /// Lets them go.
    func forgetOutputs() {
        for model in state.withLock({ $0.residents.map(\.model) }) { model.forgetOutputs() }
    }

    private static func bytes(_ residents: [Resident], counting about: Resident?) -> UInt64 {
        residents.reduce(0) { $0 + ($1.model.isResident || $1 === about ? $1.model.weightBytes : 0) }
    }

    /// Lets models go until the limit holds, least recently used first.
    /// - Parameter about: one whose weights are about to come.
    private func trim(keeping about: Resident?) {
        // What is let go ends outside of the lock: its memory takes a while to give back.
        let gone = state.withLock { state -> [Resident] in
            var gone = state.residents.filter { !$0.use.isCurrent && $0.use.users == 0 }
            state.residents.removeAll { resident in gone.contains { $0 === resident } }
            let byAge = state.residents.sorted { $0.use.lastUsed < $1.use.lastUsed }
            for resident in byAge.dropLast() where Self.bytes(state.residents, counting: about) > memoryLimit {
                guard resident.use.users == 0, resident.model.isResident else { continue }
                state.residents.removeAll { $0 === resident }
                state.slots[resident.key] = nil
                gone.append(resident)
            }
            return gone
        }
        withExtendedLifetime(gone) {}
    }

    // MARK: - Status

    /// The models whose weights are in memory, the last used first.
    public func residents() -> [ResidentModel] {
        let now = now()
        return state.withLock { state in
            let loaded = state.residents.filter(\.model.isResident)
            return loaded.sorted { $0.use.lastUsed > $1.use.lastUsed }.map { resident in
                let use = resident.use
                return ResidentModel(
                    name: resident.model.name, precision: resident.model.precision,
                    digest: resident.model.knownDigest, bytes: resident.model.weightBytes,
                    idleSeconds: max(0, use.lastUsed.duration(to: now) / .seconds(1)),
                    users: use.users)
            }
        }
    }
}
