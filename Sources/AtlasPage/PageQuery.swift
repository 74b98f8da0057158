import Atlas
import Hummingbird

/// What stands behind the question mark of an address.
enum PageQuery {
    /// The most features in one answer.
    static let greatestPage = 500
    /// What the list of features is asked by.
    static let names = ["q", "hook", "kind", "lift", "sort", "order", "page", "size"]

    /// - Throws: ``AtlasError`` (`invalidArgument`) for a parameter that nothing is known of, and for one that is given twice: whoever
    ///   asks for `limit=5` does not want a hundred.
    static func parameters(of request: Request, known: [String] = []) throws -> [String: String] {
        var parameters: [String: String] = [:]
        for (key, value) in request.uri.queryParameters {
            let name = String(key)
            guard known.contains(name) else {
                let expected = known.isEmpty ? "none" : known.joined(separator: ", ")
                throw AtlasError(
                    .invalidArgument, "no parameter is called '\(name.prefix(60))' here; expected \(expected)")
            }
            guard parameters.updateValue(String(value), forKey: name) == nil else {
                throw AtlasError(.invalidArgument, "\(name) is given twice")
            }
        }
        return parameters
    }

    /// A query as the page's address says it.
    /// - Throws: ``AtlasError`` (`invalidArgument`) for a value that is none of its kind.
    static func query(_ parameters: [String: String]) throws -> AtlasQuery {
        var query = AtlasQuery()
        query.search = parameters["q"] ?? ""
        guard query.search.utf8.count <= 1000 else {
            throw AtlasError(.invalidArgument, "a search has at most 1000 bytes; this has \(query.search.utf8.count)")
        }
        query.hook = parameters["hook"].flatMap { $0.isEmpty ? nil : $0 }
        query.kind = parameters["kind"].flatMap { $0.isEmpty ? nil : $0 }
        if let text = parameters["lift"], !text.isEmpty {
            guard let lift = Double(text), lift.isFinite, lift >= 0 else {
                throw AtlasError(
                    .invalidArgument, "lift cannot be '\(text.prefix(60))'; expected a number that is not below 0")
            }
            query.lift = lift
        }
        if let name = parameters["sort"] {
            guard let sort = AtlasQuery.Sort(rawValue: name) else {
                let names = AtlasQuery.Sort.allCases.map(\.rawValue).joined(separator: ", ")
                throw AtlasError(.invalidArgument, "cannot sort by '\(name.prefix(60))'; expected \(names)")
            }
            query.sort = sort
        }
        switch parameters["order"] {
        case nil: break
        case "up": query.ascending = true
        case "down": query.ascending = false
        case .some(let other):
            throw AtlasError(.invalidArgument, "no order is called '\(other.prefix(60))'; expected up or down")
        }
        query.page = try number(parameters["page"], "page", in: 0...1_000_000_000) ?? 0
        query.pageSize = try number(parameters["size"], "size", in: 1...greatestPage) ?? 100
        return query
    }

    private static func number(_ text: String?, _ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw AtlasError(
                .invalidArgument,
                "\(name) cannot be '\(text.prefix(60))'; expected a number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return value
    }
}
