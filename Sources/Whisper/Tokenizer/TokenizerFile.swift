import StrictJSON

/// What a `tokenizer.json` of Hugging Face says of byte-level BPE, or a file beside it.
///
/// A message names the file, the member, what was expected and what came.
struct TokenizerFile {
    let name: String
    private let json: JSON

    /// - Throws: ``WhisperError`` (`dataLoss`) with the place at which `bytes` stop being JSON.
    init(_ bytes: [UInt8], name: String) throws {
        self.name = name
        do { json = try JSON(parsing: bytes) } catch let error as JSONSyntaxError {
            throw WhisperError(.dataLoss, "\(name) is \(error)")
        }
    }

    /// Whether it is a `tokenizer.json` rather than a map from tokens to ids.
    var holdsModel: Bool { json["model"]?.members != nil }

    /// The model's type, where the file names one.
    var type: String? { json["model"]?["type"]?.string }

    /// Ordinary tokens with their ids; special ones may be among them.
    func vocabulary() throws -> [String: Int] { try ids(json["model"]?["vocab"], "model.vocab") }

    /// The whole file as a map from tokens to ids.
    func map() throws -> [String: Int] { try ids(json, "the file") }

    /// The whole file as a list of tokens.
    func list() throws -> [String] {
        guard let list = json.array else { throw unexpected("the file", "a list of tokens", json) }
        return try list.enumerated().map { index, token in
            guard let text = token.string else { throw unexpected("token \(index)", "a string", token) }
            return text
        }
    }

    /// What each merge makes, in the file's order: of `"a b"`, or of `["a", "b"]` as files since tokenizers 0.20 have.
    func merges() throws -> [String] {
        guard let list = try present(json["model"]?["merges"], "model.merges", "a list", \.array) else { return [] }
        return try list.enumerated().map { index, merge in
            if let line = merge.string { return Self.merged(line) }
            guard let parts = merge.array?.map(\.string), parts.count == 2, let first = parts[0], let second = parts[1]
            else { throw unexpected("model.merges[\(index)]", "\"a b\" or [\"a\", \"b\"]", merge) }
            return first + second
        }
    }

    /// Tokens that were added to the model's, with their ids.
    func added() throws -> [String: Int] {
        let list = try present(json["added_tokens"], "added_tokens", "a list", \.array) ?? []
        var added: [String: Int] = [:]
        for (index, token) in list.enumerated() {
            guard let content = token["content"]?.string, let id = token["id"]?.int else {
                throw unexpected("added_tokens[\(index)]", "an object with 'id' and 'content'", token)
            }
            added[content] = id
        }
        return added
    }

    /// `a b` as `ab`: what the merge makes.
    static func merged(_ line: some StringProtocol) -> String {
        String(decoding: line.utf8.lazy.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self)
    }

    /// The special tokens of a file beside a `.tiktoken`: `{"special_tokens": {NAME: ID, …}}`.
    func specialTokens() throws -> [String: Int] { try ids(json["special_tokens"], "special_tokens") }

    private func ids(_ json: JSON?, _ place: String) throws -> [String: Int] {
        guard let members = json?.members else { throw unexpected(place, "an object of tokens and their ids", json) }
        var ids: [String: Int] = [:]
        ids.reserveCapacity(members.count)
        for (token, value) in members {
            guard let id = value.int else { throw unexpected("\(place), token \"\(token)\"", "an id", value) }
            ids[token] = id
        }
        return ids
    }

    /// Nil where there is none, or null in its place.
    private func present<T>(_ json: JSON?, _ place: String, _ expected: String, _ as: (JSON) -> T?) throws -> T? {
        guard let json, !json.isNull else { return nil }
        guard let value = `as`(json) else { throw unexpected(place, expected, json) }
        return value
    }

    private func unexpected(_ place: String, _ expected: String, _ json: JSON?) -> WhisperError {
        WhisperError(.dataLoss, "\(name): \(place) is \(json?.kind ?? "missing"); expected \(expected)")
    }
}
