/// There are no sounds for a check, so it says nothing about the plugin.
public struct NothingToShow: Error {
    let reason: String
    public init(_ reason: String) { self.reason = reason }
}

/// What the plugin needs is not there, so it can never run.
struct UnmetNeeds: Error {
    let reason: String
}

/// What a check found wrong.
struct BrokenCheck: Error, CustomStringConvertible {
    let description: String
    /// What the plugin's process ended by, where it did.
    let cause: PluginError?

    init(_ description: String, cause: PluginError? = nil) {
        self.description = description
        self.cause = cause
    }
}

/// What has failed so far in a validation: each problem is reported in full once.
struct CheckFailures {
    /// The check that found a problem first, by the problem.
    private var first: [String: String] = [:]
    /// Why no check is tried any more.
    private(set) var hanging: String?

    mutating func outcome(
        of name: String, _ body: () throws -> PluginValidator.Outcome
    ) -> PluginValidator.Outcome {
        do {
            return try body()
        } catch let error as NothingToShow {
            return .skipped("there is nothing to show it: \(error.reason)")
        } catch is UnmetNeeds {
            return .skipped("its needs cannot be met")
        } catch {
            let cause = (error as? BrokenCheck)?.cause ?? error as? PluginError
            if cause?.code == .noAnswer { hanging = "not tried, since the plugin gave no answer in '\(name)'" }
            let problem = cause?.message ?? "\(error)"
            if let earlier = first[problem] { return .broken("the same as in '\(earlier)'") }
            first[problem] = name
            return .broken("\(error)")
        }
    }
}
