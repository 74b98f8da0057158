import Files
import Messages

/// Arguments against the parameters that a plugin declares: their kinds, ranges and choices.
package enum ArgumentCheck {
    /// - Throws: ``PluginError`` (`invalidArgument`), with the nearest names for a parameter that is not there.
    package static func check(_ arguments: [V1.PluginArgument], of description: V1.PluginDescription) throws {
        let id = description.listing?.id ?? ""
        var seen: Set<String> = []
        for argument in arguments {
            let shown = DescriptionCheck.shown(argument.id)
            guard let parameter = description.parameters.first(where: { $0.id == argument.id }) else {
                let names = description.parameters.map(\.id)
                let near = nearestNames(to: argument.id, in: names, similarOnly: false)
                let advice =
                    near.isEmpty ? "it has none" : "its parameters nearest to that are \(near.joined(separator: ", "))"
                throw PluginError(.invalidArgument, "plugin \(id) has no parameter '\(shown)'; \(advice)")
            }
            guard seen.insert(argument.id).inserted else {
                throw PluginError(.invalidArgument, "plugin \(id): the parameter \(shown) is given twice")
            }
            if let problem = problem(with: argument.value, for: parameter) {
                throw PluginError(.invalidArgument, "plugin \(id): the parameter \(shown) \(problem)")
            }
        }
    }

    /// Why `value` is none that `parameter` takes; nil where it is one.
    static func problem(with value: String, for parameter: V1.PluginParameter) -> String? {
        let shown = DescriptionCheck.shown(value)
        guard value.utf8.count <= DescriptionCheck.longestText, !value.utf8.contains(0) else {
            return "has a value of \(value.utf8.count) bytes, at most \(DescriptionCheck.longestText) without a NUL"
        }
        switch parameter.kind {
        case "integer":
            guard let number = Int64(value) else { return "is '\(shown)', a whole number was expected" }
            return rangeProblem(Double(number), shown, parameter)
        case "number":
            guard let number = Double(value), number.isFinite else { return "is '\(shown)', a number was expected" }
            return rangeProblem(number, shown, parameter)
        case "boolean":
            return value == "true" || value == "false" ? nil : "is '\(shown)', true or false was expected"
        case "choice":
            return parameter.choices.contains(value)
                ? nil : "is '\(shown)', one of \(parameter.choices.joined(separator: ", ")) was expected"
        case "path":
            // An empty default says that none is needed.
            return value.hasPrefix("/") || value == parameter.default
                ? nil : "is '\(shown)', an absolute path was expected"
        default:
            return nil
        }
    }

    private static func rangeProblem(_ number: Double, _ shown: String, _ parameter: V1.PluginParameter) -> String? {
        if let minimum = parameter.minimum, number < minimum { return "is \(shown), at least \(minimum) was expected" }
        if let maximum = parameter.maximum, number > maximum { return "is \(shown), at most \(maximum) was expected" }
        return nil
    }
}
