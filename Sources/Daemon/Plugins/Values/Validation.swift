import PluginHost

/// A bundle to be tried out.
struct ValidationRequest: Sendable {
    /// The bundle's folder.
    var bundle: String
    var model = ModelReference()
    /// Of every instance; a check that varies a parameter changes that one alone.
    var arguments: [PluginArgument] = []
    /// As ``RunRequest/permissions``.
    var permissions = PluginPermissions()
}

/// One check of a bundle.
struct ValidationCheck: Sendable, Equatable {
    enum Outcome: String, Sendable {
        case passed, broken
        /// It does not apply to this plugin.
        case skipped
    }

    var name: String
    var outcome: Outcome
    /// What was expected and what came.
    var detail: String
    var seconds: Double
}

/// How many checks had which outcome.
struct ValidationTally: Sendable, Equatable {
    var passed = 0
    var broken = 0
    var skipped = 0
}
