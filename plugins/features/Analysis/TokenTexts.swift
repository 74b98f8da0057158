import PluginKit

/// The text of tokens, asked for once each.
final class TokenTexts {
    private let host: PluginKit.Host?
    private var known: [Int32: String] = [:]

    /// - Parameter host: nil where there is no tokenizer: tokens are their numbers.
    init(_ host: PluginKit.Host?) { self.host = host }

    subscript(token: Int32) -> String {
        if let text = known[token] { return text }
        // A host without a tokenizer is no reason to lose a run.
        let text = (try? host?.decode([token])) ?? nil
        let shown = text.flatMap { $0.isEmpty ? nil : $0 } ?? "<\(token)>"
        known[token] = shown
        return shown
    }
}
