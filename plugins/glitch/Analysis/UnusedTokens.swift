import PluginKit

/// Tokens that no text has, so that no training has ever asked for them.
enum UnusedTokens {
    /// Bytes that no UTF-8 has: C0, C1, and F5 to FF.
    private static let bytes: [Int] = [0xC0, 0xC1] + (0xF5...0xFF)

    /// The id that a byte has in the vocabularies of GPT-2 and of Whisper: those that print come first (33–126, 161–172, 174–255).
    static func id(ofByte byte: Int) -> Int {
        let printed = Array(33...126) + Array(161...172) + Array(174...255)
        return printed.firstIndex(of: byte) ?? printed.count + (0..<byte).count { !printed.contains($0) }
    }

    /// The tokens of those bytes, in a vocabulary that has its bytes first: in GPT-2's order, or by their numbers.
    /// - Throws: ``PluginError`` (`unsupported`) for a vocabulary that has its bytes in another order.
    static func known(_ host: Host, count: Int) throws -> [Int] {
        for order in [id(ofByte:), { $0 }] {
            let ids = bytes.map(order)
            guard let last = ids.max(), last < count, try host.decode([Int32(order(0x21))]) == "!",
                try host.decode([Int32(order(0x7E))]) == "~",
                try ids.allSatisfy({ try host.decode([Int32($0)]) == "\u{FFFD}" })
            else { continue }
            return ids
        }
        throw PluginError(
            .unsupported,
            "the model's vocabulary has its bytes in another order than GPT-2's, so it is not known which tokens no text has; "
                + "unused= names them, as \"12,40-52\"")
    }

    /// Ids and ranges between commas, "12, 40-52".
    static func parse(_ parts: [String], count: Int) throws -> [Int] {
        try parts.flatMap { part in
            let bounds = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { Int($0) }
            guard let first = bounds.first ?? nil, let last = bounds.last ?? nil, first <= last, last < count,
                first >= 0
            else {
                throw PluginError(
                    .invalidArgument,
                    "unused has '\(part)'; expected ids or ranges of ids from 0 to \(count - 1) between commas")
            }
            return Array(first...last)
        }
    }
}
