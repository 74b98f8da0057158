import Client
import Messages

/// Features as a command line names them: `HOOK:INDEX`, and of several `HOOK:3,17,40-47`.
enum FeatureArgument {
    /// At most so many in one argument: a slip of the pen is no request for a million.
    private static let most = 4096

    /// - Throws: ``Client/CommandError`` (`usage`) that says what was expected.
    static func features(_ text: String) throws -> [V1.LiveFeature] {
        guard let colon = text.lastIndex(of: ":"), colon > text.startIndex else {
            throw CommandError(.usage, "'\(text)' names no feature; expected HOOK:INDEX, as encoder.blocks.2.mlp.1:17")
        }
        let hook = String(text[..<colon])
        var features: [V1.LiveFeature] = []
        for part in text[text.index(after: colon)...].split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt32($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first <= last,
                Int(last - first) + features.count < most
            else {
                throw CommandError(
                    .usage, "'\(part)' in '\(text)' is no index; expected numbers and ranges, as 3,17,40-47")
            }
            features += (first...last).map { V1.LiveFeature(hook: hook, index: $0) }
        }
        return features
    }
}
