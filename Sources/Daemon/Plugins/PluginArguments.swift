import Files

extension PluginDescription {
    /// A value for every parameter, in their order: what was given, else the default.
    /// - Throws: ``ServiceError`` (`invalidArgument`) for a name that is none of the parameters', one that comes twice,
    /// or
    ///   a value of another kind or out of range.
    func arguments(_ given: [PluginArgument]) throws -> [PluginArgument] {
        let plugin = listing.id
        var values: [String: String] = [:]
        for argument in given {
            guard parameters.contains(where: { $0.id == argument.id }) else {
                let names = parameters.map(\.id)
                let near = nearestNames(to: argument.id, in: names, similarOnly: false)
                throw ServiceError(
                    .invalidArgument,
                    "\(plugin) has no parameter called '\(argument.id)'; "
                        + (near.isEmpty ? "it has none" : "nearest: \(near.joined(separator: ", "))"))
            }
            guard values.updateValue(argument.value, forKey: argument.id) == nil else {
                throw ServiceError(.invalidArgument, "the argument '\(argument.id)' of \(plugin) is given twice")
            }
        }
        return try parameters.map { parameter in
            let value = values[parameter.id] ?? parameter.default
            // A default is the plugin's own matter.
            if values[parameter.id] != nil, let expected = parameter.expectation(of: value) {
                throw ServiceError(
                    .invalidArgument, "\(parameter.id) of \(plugin) must be \(expected); it is '\(value)'")
            }
            return PluginArgument(id: parameter.id, value: value)
        }
    }
}

extension PluginParameter {
    /// What a value would have to be; nil where `value` is that.
    fileprivate func expectation(of value: String) -> String? {
        switch kind {
        case .integer:
            guard let number = Int64(value) else { return "an integer" }
            return isInRange(Double(number)) ? nil : "an integer\(range)"
        case .number:
            guard let number = Double(value), number.isFinite else { return "a number" }
            return isInRange(number) ? nil : "a number\(range)"
        case .boolean: return value == "true" || value == "false" ? nil : "true or false"
        case .choice: return choices.contains(value) ? nil : "one of \(choices.joined(separator: ", "))"
        case .path: return value.isEmpty || value.hasPrefix("/") ? nil : "an absolute path"
        default: return nil
        }
    }

    private func isInRange(_ number: Double) -> Bool {
        number >= (minimum ?? -.infinity) && number <= (maximum ?? .infinity)
    }

    private var range: String {
        switch (minimum, maximum) {
        case (let low?, let high?): " from \(low) to \(high)"
        case (let low?, nil): " of at least \(low)"
        case (nil, let high?): " of at most \(high)"
        case (nil, nil): ""
        }
    }
}
