import CAuscultPlugin

/// The arguments of a run, by the ids of the declared parameters.
public struct Arguments: Sendable {
    private let parameters: [String: Parameter]
    private let given: [String: String]

    /// - Throws: ``PluginError`` (`invalidArgument`) where an argument is of no parameter.
    public init(_ given: [(id: String, value: String)], for parameters: [Parameter]) throws {
        self.parameters = Dictionary(parameters.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var values: [String: String] = [:]
        for (id, value) in given {
            guard self.parameters[id] != nil else {
                let known = parameters.map(\.id).joined(separator: ", ")
                throw PluginError(.invalidArgument, "there is no parameter \"\(id)\"; there is \(known)")
            }
            values[id] = value
        }
        self.given = values
    }

    /// The value as text, of a parameter of any kind.
    public func text(_ id: String) throws -> String { try given[id] ?? parameter(id).defaultValue }

    /// The path; nil where it is empty.
    public func path(_ id: String) throws -> String? {
        let path = try text(id)
        return path.isEmpty ? nil : path
    }

    public func integer(_ id: String) throws -> Int {
        guard let value = Int(try text(id)) else { throw try wrong(id, "a whole number") }
        try check(Double(value), id)
        return value
    }

    public func number(_ id: String) throws -> Double {
        guard let value = Double(try text(id)), !value.isNaN else { throw try wrong(id, "a number") }
        try check(value, id)
        return value
    }

    public func boolean(_ id: String) throws -> Bool {
        guard let value = Bool(try text(id)) else { throw try wrong(id, "true or false") }
        return value
    }

    public func choice(_ id: String) throws -> String {
        let value = try text(id), choices = try parameter(id).choices
        guard choices.contains(value) else { throw try wrong(id, "one of \(choices.joined(separator: ", "))") }
        return value
    }

    /// Numbers between commas, "0.02, 0.1, 1", of a parameter of text.
    public func numbers(_ id: String) throws -> [Double] {
        try list(id).map {
            guard let value = Double($0), value.isFinite else { throw try wrong(id, "numbers between commas") }
            return value
        }
    }

    /// Words between commas, of a parameter of text; none where it is empty.
    public func list(_ id: String) throws -> [String] {
        try text(id).split(separator: ",").map { part in
            let from = part.firstIndex { $0 != " " } ?? part.endIndex
            let to = part.lastIndex { $0 != " " }.map(part.index(after:)) ?? from
            return String(part[from..<to])
        }
    }

    private func parameter(_ id: String) throws -> Parameter {
        guard let parameter = parameters[id] else {
            throw PluginError(.failed, "the plugin asks for a parameter \"\(id)\" that it does not declare")
        }
        return parameter
    }

    private func check(_ value: Double, _ id: String) throws {
        let range = try parameter(id).range
        guard range.contains(value) else {
            throw try wrong(id, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    private func wrong(_ id: String, _ expected: String) throws -> PluginError {
        PluginError(.invalidArgument, "\(id) is \"\(try text(id))\", expected \(expected)")
    }
}
