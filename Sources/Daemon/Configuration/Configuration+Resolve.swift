import Files
import Foundation

extension Configuration {
    /// Puts the configuration together: a flag counts before a variable, a variable before the file, the file before
    /// the default.
    /// - Parameters:
    ///   - flags: the values of each key that the command line gave.
    ///   - file: the configuration file that the command line named; without it `$AUSCULTD_CONFIG`, and without that
    ///     the user's, if there is one.
    /// - Throws: ``ConfigurationError``.
    package static func resolve(
        flags: [String: [String]] = [:], environment: [String: String], file: String? = nil
    ) throws -> Configuration {
        var configuration: Configuration
        do {
            configuration = try Configuration(environment: environment)
        } catch let error as FileError {
            // The only value that can be wrong without being set.
            throw ConfigurationError("$XDG_RUNTIME_DIR: \(error)")
        }
        for entry in try entries(file, environment) {
            try configuration.set(entry.setting, entry.values, entry.source)
        }
        try refuseUnknownVariables(environment)
        for setting in Setting.all {
            for name in setting.variables.reversed() {
                guard let text = environment[name], !text.isEmpty else { continue }
                let values = setting.kind == .list ? text.split(separator: ",").map(String.init) : [text]
                try configuration.set(setting, values, .environment(name))
            }
            if let values = flags[setting.key], !values.isEmpty {
                try configuration.set(setting, values, .flag(setting.flag))
            }
        }
        return configuration
    }

    private static func entries(
        _ named: String?, _ environment: [String: String]
    ) throws -> [ConfigurationFile.Entry] {
        if let path = named ?? environment[configVariable].flatMap({ $0.isEmpty ? nil : $0 }) {
            return try ConfigurationFile(path: path).entries
        }
        let path = ConfigurationFile.standardPath(environment: environment)
        guard access(path, F_OK) == 0 else { return [] }
        return try ConfigurationFile(path: path).entries
    }

    private static let configVariable = "AUSCULTD_CONFIG"

    private static func refuseUnknownVariables(_ environment: [String: String]) throws {
        let known = Setting.all.flatMap(\.variables) + [configVariable]
        for name in environment.keys.sorted() where name.hasPrefix("AUSCULTD_") && !known.contains(name) {
            let near = nearestNames(to: name, in: known, count: 1).first
            throw ConfigurationError("unknown variable $\(name)" + (near.map { "; did you mean $\($0)?" } ?? ""))
        }
    }

    private mutating func set(_ setting: Setting, _ values: [String], _ source: ValueSource) throws {
        let place =
            switch source {
            case .file: "\(source): \(setting.key)"
            default: "\(source)"
            }
        do {
            guard try setting.read(values, &self) else {
                let got = values.map { "'\($0)'" }.joined(separator: ", ")
                throw ConfigurationError(
                    "\(place): expected \(setting.expected), got \(got.isEmpty ? "nothing" : got)")
            }
        } catch let error as FileError {
            throw ConfigurationError("\(place): \(error)")
        }
        sources[setting.key] = source
    }
}
