import Files

extension HookPoint {
    /// The hook points that `pattern` names, in the order of the forward pass.
    ///
    /// A pattern is a canonical name, an alias of TransformerLens or Hugging Face, or either of them with
    /// wildcards: `*` stands for any part of a name between two dots, `**` for any part of a name, `?` for one
    /// character, `{a,b}` for a or b. `encoder.blocks.*` is the residual stream after every block; `encoder.**` is
    /// everything in the encoder; a lone `*` is everything.
    /// - Throws: ``WhisperError`` (`invalidArgument`) with the nearest names where nothing matches.
    public static func matching(_ pattern: String, in dimensions: ModelDimensions) throws -> [HookPoint] {
        // It comes from outside, and the time grows with its length.
        guard pattern.utf8.count <= 4096 else {
            throw WhisperError(
                .invalidArgument, "a pattern of hook points has \(pattern.utf8.count) bytes; expected at most 4096")
        }
        let all = all(in: dimensions)
        let wanted = pattern == "*" ? "**" : HookAlias.canonical(pattern)
        let alternatives = Glob.alternatives(of: wanted).map(Glob.init)
        let found = all.filter { point in alternatives.contains { $0.matches(point.name) } }
        guard found.isEmpty else { return found }
        let near = nearestNames(to: wanted, in: all.map(\.name), similarOnly: false)
        throw WhisperError(
            .invalidArgument,
            "no hook point matches \"\(pattern)\"; the nearest are \(near.joined(separator: ", "))")
    }
}

/// A pattern over dotted names.
struct Glob {
    private enum Piece {
        case character(Character)
        case one  // ?
        case part  // *: anything without a dot
        case any  // **: anything
    }

    private let pieces: [Piece]

    init(_ pattern: String) {
        var pieces: [Piece] = []
        var rest = pattern[...]
        while let character = rest.first {
            if rest.hasPrefix("**") {
                pieces.append(.any)
                rest = rest.drop { $0 == "*" }
                continue
            }
            switch character {
            case "*": pieces.append(.part)
            case "?": pieces.append(.one)
            default: pieces.append(.character(character))
            }
            rest = rest.dropFirst()
        }
        self.pieces = pieces
    }

    func matches(_ name: String) -> Bool {
        // reach[i]: the first i pieces can account for the characters read so far.
        var reach = closure([true] + Array(repeating: false, count: pieces.count))
        for character in name {
            var next = Array(repeating: false, count: pieces.count + 1)
            for (i, piece) in pieces.enumerated() where reach[i] {
                switch piece {
                case .character(let expected): if expected == character { next[i + 1] = true }
                case .one: if character != "." { next[i + 1] = true }
                case .part: if character != "." { next[i] = true }
                case .any: next[i] = true
                }
            }
            reach = closure(next)
        }
        return reach[pieces.count]
    }

    /// `*` and `**` also account for nothing at all.
    private func closure(_ reach: [Bool]) -> [Bool] {
        var reach = reach
        for (i, piece) in pieces.enumerated() where reach[i] {
            switch piece {
            case .part, .any: reach[i + 1] = true
            case .character, .one: break
            }
        }
        return reach
    }

    /// The patterns that one with `{a,b}` stands for; at most 1,000 of them, after which braces are plain characters.
    static func alternatives(of pattern: String) -> [String] {
        var done: [String] = [], open = [pattern]
        while let next = open.popLast() {
            guard done.count + open.count < 1000, let left = next.firstIndex(of: "{"),
                let right = next[left...].firstIndex(of: "}")
            else {
                done.append(next)
                continue
            }
            let choices = next[next.index(after: left)..<right].split(separator: ",", omittingEmptySubsequences: false)
            open += choices.map { String(next[..<left] + $0 + next[next.index(after: right)...]) }
        }
        return done
    }
}
