import Files
import Messages

/// Sounds that a plugin must survive.
public enum PluginSound: Hashable, Sendable {
    case silence
    case oneSample
    /// White noise at full scale, some seconds of it.
    case noise
    /// Something like a voice; `number` makes different recordings.
    case voice(number: Int)
}

/// The clips of one recording of such a sound, with what the needs ask for. Names and numbers of recordings differ from
/// sound to sound and are the same each time.
public typealias ClipSource = @Sendable (_ sound: PluginSound, _ needs: PluginNeedsValue) throws -> [PluginClipValue]

/// Tries a bundle out: one process or more for each check, none for two.
public struct PluginValidator: Sendable {
    public let bundle: PluginBundle
    public let run: PluginRunValue
    public let services: any PluginServices
    /// What every instance is made with: what the call names, and what the bundle's manifest names for validation beside it; the
    /// defaults where they say nothing.
    public let arguments: [V1.PluginArgument]
    /// Those of the manifest among them.
    let manifestArguments: [V1.PluginArgument]
    /// What it may do, beside what its arguments name.
    public let permissions: PluginPermissions
    public let limits: PluginLimits
    public let clips: ClipSource
    let partSize = FoundOnce()

    /// - Parameters:
    ///   - arguments: what the call names.
    ///   - run: what activate() gets; its seed is the same in every run.
    ///   - clips: where the clips come from. ``NothingToShow`` makes a check say nothing; any other error means that the
    ///     plugin's needs cannot be met, so that it can never run.
    public init(
        _ bundle: PluginBundle, arguments: [V1.PluginArgument] = [],
        permissions: PluginPermissions = PluginPermissions(), run: PluginRunValue, services: any PluginServices,
        limits: PluginLimits = PluginLimits(), clips: @escaping ClipSource
    ) {
        self.bundle = bundle
        manifestArguments = bundle.validationArguments.sorted { $0.key < $1.key }
            .filter { own in !arguments.contains { $0.id == own.key } }
            .map { V1.PluginArgument(id: $0.key, value: $0.value) }
        self.arguments = arguments + manifestArguments
        self.permissions = permissions
        self.run = run
        self.services = services
        self.limits = limits
        self.clips = clips
    }

    /// What a check ends with. Its body throws where something is broken.
    enum Outcome {
        case passed(String)
        case skipped(String)
        case broken(String)
    }

    /// The checks, in the order that they run.
    var checks: [(name: String, body: (PluginValidator) throws -> Outcome)] {
        [
            ("loads, and describes itself the same way twice", { try $0.describes() }),
            ("agrees with its manifest", { try $0.agrees() }),
            ("takes its defaults", { try $0.takesDefaults() }),
            ("takes the bounds of every parameter", { try $0.takesBounds() }),
            ("survives values out of range", { try $0.survivesOutOfRange() }),
            ("is made within \(Int(Self.slowest)) s", { try $0.isMadeQuickly() }),
            ("needs what there is", { try $0.needsWhatThereIs() }),
            ("hears silence", { try $0.hears(.silence, mustFinish: true) }),
            ("survives one sample", { try $0.hears(.oneSample, mustFinish: false) }),
            ("hears noise at full scale", { try $0.hears(.noise, mustFinish: true) }),
            ("survives NaN and infinity", { try $0.survivesNaN() }),
            ("survives a run without recordings", { try $0.survivesNothing() }),
            ("gives the same results twice", { try $0.isDeterministic() }),
            ("keeps two instances apart", { try $0.keepsInstancesApart() }),
            ("can be destroyed without finish()", { try $0.canBeDestroyed() }),
            ("merge() of two save()s is one run over both", { try $0.merges() }),
            ("goes on from a state saved in the middle", { try $0.goesOn() }),
            ("refuses a damaged state", { try $0.refusesDamagedState() }),
            ("declares all its results", { try $0.declaresResults() }),
            ("hears sound while it is made", { try $0.hearsLive() }),
            ("writes nothing to its standard output", { try $0.isQuiet() }),
            ("does nothing that its confinement refuses", { try $0.keepsToItsPlace() }),
            ("leaves no process behind", { try $0.leavesNothing() }),
        ]
    }

    /// Checks ``arguments`` against what the plugin declares. Where it does not even do that, the checks will say so.
    /// - Throws: ``PluginError`` (`invalidArgument`).
    public func checkArguments() throws {
        guard !arguments.isEmpty, let description = try? description() else { return }
        try ArgumentCheck.check(arguments, of: description)
    }

    /// ``arguments``, but for the parameters in `others`, which take its values.
    func arguments(with others: [V1.PluginArgument]) -> [V1.PluginArgument] {
        arguments.filter { argument in !others.contains { $0.id == argument.id } } + others
    }

    /// Runs the checks, and hands over each outcome as it comes. After a call without an answer the others are not tried:
    /// each could wait as long again.
    /// - Throws: only what `event` throws.
    public func validate(_ event: (V1.ValidationCheck) throws -> Void) throws -> V1.ValidationEnd {
        var end = V1.ValidationEnd()
        var failures = CheckFailures()
        for (name, body) in checks {
            let start = ContinuousClock.now
            var check = V1.ValidationCheck(name: name)
            switch failures.hanging.map(Outcome.skipped) ?? failures.outcome(of: name, { try body(self) }) {
            case .passed(let detail):
                (check.outcome, check.detail) = (.passed, detail)
                end.passed += 1
            case .skipped(let reason):
                (check.outcome, check.detail) = (.skipped, reason)
                end.skipped += 1
            case .broken(let problem):
                (check.outcome, check.detail) = (.broken, problem)
                end.broken += 1
            }
            check.seconds = (ContinuousClock.now - start) / .seconds(1)
            try event(check)
        }
        return end
    }
}
