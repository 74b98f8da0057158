import Foundation

/// The program of this name in `$PATH`; nil where there is none that can be run.
func programInPath(_ name: String, _ environment: [String: String]) -> String? {
    (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
        .first { $0.hasPrefix("/") && access($0, X_OK) == 0 }
}

/// The program that a variable of the environment names, as a path or as a name in `$PATH`.
func programNamed(_ named: String, _ environment: [String: String]) -> String? {
    named.contains("/") ? absolutePath(named) : programInPath(named, environment)
}
