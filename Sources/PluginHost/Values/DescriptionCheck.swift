import Messages

/// What a plugin may say of itself: bounds on counts and texts, and agreement with its manifest.
///
/// The plugin's process applies it to what it reads out of the library, and the daemon again to what comes over the
/// wall, because whoever speaks there may be the plugin itself.
enum DescriptionCheck {
    static let longestName = 256
    static let longestText = 64 << 10
    static let mostHooks = 256
    static let mostParameters = 128
    static let mostOutputs = 256
    static let mostChoices = 256
    static let mostLabels = 1 << 16

    /// - Returns: the first problem, or nil.
    static func problem(in description: V1.PluginDescription, id: String, version: String) -> String? {
        let listing = description.listing ?? V1.PluginListing()
        if listing.id != id { return "its descriptor has the id '\(shown(listing.id))', its manifest '\(id)'" }
        if listing.version != version {
            return "its descriptor has the version '\(shown(listing.version))', its manifest '\(version)'"
        }
        for (name, text) in [("name", listing.name), ("vendor", listing.vendor), ("licence", listing.licence)] {
            if let problem = nameProblem(text) { return "its \(name) \(problem)" }
        }
        if description.description.utf8.count > longestText {
            return "its description has \(description.description.utf8.count) bytes, at most \(longestText)"
        }
        return needsProblem(description.needs ?? V1.PluginNeeds())
            ?? listProblem(description.parameters, "parameters", mostParameters, \.id, problem(in:))
            ?? listProblem(description.outputs, "outputs", mostOutputs, \.id, problem(in:))
    }

    static func needsProblem(_ needs: V1.PluginNeeds) -> String? {
        if needs.hooks.count > mostHooks { return "it needs \(needs.hooks.count) hook points, at most \(mostHooks)" }
        for hook in needs.hooks where hook.isEmpty || hook.utf8.count > longestName {
            return "it needs the hook point '\(shown(hook))', a name of 1 to \(longestName) bytes was expected"
        }
        if needs.gradients, needs.objective.isEmpty || needs.objective.utf8.count > longestName {
            return "it needs gradients of no objective"
        }
        if needs.canStream {
            for (what, isNeeded) in [
                ("the decoder", needs.decoder), ("labels", needs.labels), ("gradients", needs.gradients),
            ] where isNeeded {
                return
                    "it says that it can stream (AUSCULT_CAN_STREAM), and needs \(what), which live sound does not have"
            }
        }
        return nil
    }

    private static func problem(in parameter: V1.PluginParameter) -> String? {
        let name = "its parameter \(parameter.id)"
        guard ["integer", "number", "string", "boolean", "choice", "path", "column"].contains(parameter.kind) else {
            return "\(name) has the unknown kind '\(shown(parameter.kind))'"
        }
        if parameter.description.utf8.count > longestText || parameter.default.utf8.count > longestText {
            return "\(name) has a text of more than \(longestText) bytes"
        }
        if parameter.choices.count > mostChoices {
            return "\(name) has \(parameter.choices.count) choices, at most \(mostChoices)"
        }
        if parameter.kind == "choice", parameter.choices.isEmpty { return "\(name) is a choice without choices" }
        for choice in parameter.choices {
            if let problem = nameProblem(choice) { return "\(name) has a choice that \(problem)" }
        }
        if parameter.minimum?.isNaN == true || parameter.maximum?.isNaN == true {
            return "\(name) has a NaN for a bound"
        }
        if let minimum = parameter.minimum, let maximum = parameter.maximum, minimum > maximum {
            return "\(name) has the minimum \(minimum) above its maximum \(maximum)"
        }
        // A path has no sensible default on a machine that the author never saw, so "" stands for none.
        if parameter.kind == "path", parameter.default.isEmpty { return nil }
        return ArgumentCheck.problem(with: parameter.default, for: parameter)
            .map { "\(name) does not take its own default: \($0)" }
    }

    private static func problem(in output: V1.PluginOutput) -> String? {
        let name = "its output \(output.id)"
        guard V1.ResultKind.allCases.contains(output.kind) else {
            return "\(name) has the unknown kind \(output.kind.rawValue)"
        }
        guard (V1.PlotHint.noPlot.rawValue...V1.PlotHint.player.rawValue).contains(output.plot.rawValue) else {
            return "\(name) has the unknown plot \(output.plot.rawValue)"
        }
        for text in [output.title, output.unit] {
            if let problem = nameProblem(text) { return "\(name) has a title or a unit that \(problem)" }
        }
        if output.description.utf8.count > longestText { return "\(name) has a description that is too long" }
        let rank = ResultCheck.rank(of: output.kind) ?? 0
        guard output.axes.isEmpty || output.axes.count == rank else {
            return "\(name) has \(output.axes.count) axes, \(rank) or none were expected"
        }
        for axis in output.axes {
            if let problem = axisProblem(axis) { return "\(name) has an axis that \(problem)" }
        }
        return nil
    }

    static func axisProblem(_ axis: V1.ResultAxis) -> String? {
        if let problem = nameProblem(axis.name) ?? nameProblem(axis.unit) { return problem }
        guard axis.first.isFinite, axis.step.isFinite else { return "begins or steps at a number that is not finite" }
        if axis.labels.count > mostLabels { return "has \(axis.labels.count) labels, at most \(mostLabels)" }
        for label in axis.labels where label.utf8.count > longestName {
            return "has a label of \(label.utf8.count) bytes, at most \(longestName)"
        }
        return nil
    }

    static func nameProblem(_ name: String) -> String? {
        name.utf8.count > longestName ? "has \(name.utf8.count) bytes, at most \(longestName)" : nil
    }

    /// Letters, digits, '_', '-' and '.', so that it can be a flag and a file's name.
    static func isIdentifier(_ id: String) -> Bool {
        (1...longestName).contains(id.utf8.count) && !id.hasPrefix("-") && !id.hasPrefix(".")
            && id.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// A text from outside, short enough for a message.
    static func shown(_ text: String, _ longest: Int = 80) -> String {
        text.utf8.count > longest ? text.prefix(longest) + "…" : text
    }

    private static func listProblem<Element>(
        _ elements: [Element], _ name: String, _ most: Int, _ id: (Element) -> String,
        _ problem: (Element) -> String?
    ) -> String? {
        if elements.count > most { return "it has \(elements.count) \(name), at most \(most)" }
        var ids: Set<String> = []
        for element in elements {
            guard isIdentifier(id(element)) else {
                return
                    "one of its \(name) has the id '\(shown(id(element)))'; "
                    + "letters, digits, '_', '-' and '.' were expected"
            }
            guard ids.insert(id(element)).inserted else { return "two of its \(name) have the id '\(id(element))'" }
            if let problem = problem(element) { return problem }
        }
        return nil
    }
}
