import Messages
import PluginHost

extension PluginValidator {
    init(
        _ bundle: PluginBundle, arguments: [PluginArgument], permissions: PluginPermissions, run: PluginRunValue,
        services: any PluginServices, clips: @escaping ClipSource
    ) {
        self.init(
            bundle, arguments: arguments.map(V1.PluginArgument.init), permissions: permissions, run: run,
            services: services, clips: clips)
    }

    /// Runs the checks, and hands over each as it comes.
    /// - Throws: only what `tell` throws.
    func checked(_ tell: (ValidationCheck) throws -> Void) throws -> ValidationTally {
        let end = try validate { check in try tell(ValidationCheck(check)) }
        return ValidationTally(
            passed: Int(clamping: end.passed), broken: Int(clamping: end.broken), skipped: Int(clamping: end.skipped))
    }
}

extension ValidationCheck {
    fileprivate init(_ message: V1.ValidationCheck) {
        self.init(
            name: message.name, outcome: Outcome(rawValue: message.outcome.name) ?? .broken, detail: message.detail,
            seconds: message.seconds)
    }
}

extension V1.ValidationCheck {
    init(_ check: ValidationCheck) {
        self.init(
            name: check.name, outcome: V1.CheckOutcome(name: check.outcome.rawValue) ?? .broken, detail: check.detail,
            seconds: check.seconds)
    }
}

extension V1.ValidationEnd {
    init(_ tally: ValidationTally) {
        self.init(
            passed: UInt32(clamping: tally.passed), broken: UInt32(clamping: tally.broken),
            skipped: UInt32(clamping: tally.skipped))
    }
}
