import Files
import TensorFiles

/// What a dictionary's cfg.json says.
struct DictionaryConfiguration {
    let path: String
    private let members: [String: JSONValue]

    init(_ folder: String) throws {
        path = "\(folder)/cfg.json"
        let file: MappedFile
        do { file = try MappedFile(path) } catch let error as TensorFileError where error.code == .notFound {
            throw DictionaryError(.notFound, "\(folder) is not a dictionary: it has no cfg.json")
        }
        guard let members = try JSONValue(parsing: file.bytes).object else {
            throw DictionaryError(.dataLoss, "\(path) is not a JSON object")
        }
        self.members = members
    }

    func member(_ name: String) -> JSONValue? { members[name].flatMap { $0.isNull ? nil : $0 } }
    func text(_ name: String) -> String? { member(name)?.string }
    func bool(_ name: String) -> Bool? { member(name)?.bool }

    /// A text about where it came from: in `metadata` since SAELens 6, beside the rest before; "" for none.
    func metadata(_ name: String) -> String { member("metadata")?.object?[name]?.string ?? text(name) ?? "" }

    func size(_ name: String) throws -> Int {
        guard let size = member(name)?.int, (1...1 << 28).contains(size) else {
            throw DictionaryError(.dataLoss, "\(path) has no \(name) that is a size of 1 or more")
        }
        return size
    }

    func k(_ value: JSONValue?) throws -> Int {
        guard let k = value?.int, k >= 1 else {
            throw DictionaryError(.dataLoss, "\(path) has no k that is a whole number of 1 or more")
        }
        return k
    }

    func normalisation() throws -> SparseDictionary.Normalisation {
        // Older files have a boolean here; SAELens reads true as expected_average_only_in.
        switch bool("normalize_activations") {
        case false?: return .none
        case true?:
            throw unsupported(
                "normalize_activations true (expected_average_only_in, by a factor that is not in the files)")
        case nil: break
        }
        if let value = member("normalize_activations"), value.string == nil {
            throw DictionaryError(.dataLoss, "\(path): normalize_activations is neither a text nor true or false")
        }
        let name = text("normalize_activations") ?? "none"
        guard let known = SparseDictionary.Normalisation(rawValue: name) else {
            // expected_average_only_in among them: its factor is not in the files.
            throw unsupported("normalize_activations '\(name)'")
        }
        return known
    }

    func unsupported(_ what: String) -> DictionaryError {
        DictionaryError(
            .unsupported,
            "\(path): \(what) is not supported; standard, topk, batchtopk and jumprelu dictionaries of SAELens and topk "
                + "ones of sparsify are")
    }
}

extension JSONValue {
    subscript(name: String) -> JSONValue? { object?[name] }
}
