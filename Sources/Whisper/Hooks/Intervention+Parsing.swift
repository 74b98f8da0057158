import Dictionaries
import Kernels
import TensorFiles

extension Intervention {
    /// Reads the text form, one intervention a line of the command line:
    ///
    ///     HOOK[@frames a:b][@heads h,h] = zero | mean | scale x | add FILE x | set FILE | noise s [seed n]
    ///     encoder.blocks.*.attn[@heads h,h] window k
    ///     encoder.ln_post substitute-padding a:b
    ///     HOOK[@frames a:b] splice FOLDER
    ///     HOOK[@frames a:b] latent FOLDER i = zero | scale x | set v
    ///
    /// FOLDER is a sparse dictionary's (``Dictionaries/SparseDictionary/read(_:)``).
    /// HOOK is a name, a glob or an alias (``HookPoint/matching(_:in:)``). A bound of a range may be left out, and may be
    /// given in seconds: `@frames 1.5s:3s`; for the decoder, `@tokens a:b`. Ranges are half open. A FILE with blanks in
    /// its name stands in double quotes.
    /// - Parameter tensor: finds the tensor of a FILE for a hook point; a file that holds one tensor means that one.
    /// - Throws: ``WhisperError`` (`invalidArgument`) that shows the part that was not understood, and what `tensor` and
    ///   reading a dictionary throw.
    public init(
        parsing text: String, dimensions: ModelDimensions,
        tensor: (_ file: String, _ hook: String) throws -> Tensor = SafetensorsFile.activation
    ) throws {
        var words = InterventionWords(text)
        let hook = try words.next("a hook point")
        let targets = try HookPoint.matching(hook, in: dimensions)
        var positions: Range<Int>?
        var heads: [Int]?
        while let qualifier = words.take(where: { $0.hasPrefix("@") }) {
            switch qualifier {
            case "@frames", "@tokens": positions = try words.range(perSecond: targets.first?.position.perSecond)
            case "@heads": heads = try words.integers("heads, as in 0,3")
            default: throw words.error("\"\(qualifier)\" is no qualifier; @frames, @tokens and @heads are")
            }
        }
        _ = words.take { $0 == "=" }
        let name = try words.next("an operation")
        var points = Set(targets)
        let operation: Operation
        switch name {
        case "zero": operation = .zero
        case "mean": operation = .mean
        case "scale": operation = .scale(try words.number("a factor"))
        case "add":
            let file = try words.next("a file")
            operation = .add(try tensor(file, targets[0].name), try words.number("a factor"))
        case "set": operation = .set(try tensor(try words.next("a file"), targets[0].name))
        case "noise":
            let deviation = try words.number("a standard deviation")
            let seeded = words.take { $0 == "seed" } != nil
            operation = .noise(deviation, seed: UInt64(seeded ? try words.natural("a seed") : 0))
        case "window":
            operation = .window(try words.natural("a number of positions"))
            points = Self.windowed(points)
        case "substitute-padding":
            operation = .substitutePadding
            if !words.isEmpty { positions = try words.range(perSecond: targets.first?.position.perSecond) }
        case "splice": operation = .splice(try SparseDictionary.read(try words.next("a dictionary's folder")))
        case "latent":
            let dictionary = try SparseDictionary.read(try words.next("a dictionary's folder"))
            let latent = try words.natural("a latent's number")
            operation = .latent(dictionary, latent, try words.latentChange())
        default:
            throw words.error(
                "\"\(name)\" is no operation; zero, mean, scale, add, set, noise, window, substitute-padding, splice and "
                    + "latent are")
        }
        guard words.isEmpty else { throw words.error("\"\(words.rest)\" is left over") }
        try self.init(
            targets: points, positions: positions, heads: heads, operation: operation, dimensions: dimensions)
    }
}

/// The words of an intervention, read one after another.
private struct InterventionWords {
    private let text: String
    private var words: ArraySlice<String>

    init(_ text: String) {
        self.text = text
        words = Self.split(text)[...]
    }

    /// Words apart at blanks. One in double quotes, a file's name, may have blanks in it.
    private static func split(_ text: String) -> [String] {
        var words: [String] = []
        var isPlace = true
        for (index, part) in text.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
            guard index % 2 == 0 else {
                words.append(String(part))
                continue
            }
            var rest = part
            // Before the first `=`, `@` may stand close to its neighbours; after it, both may be part of a file's name.
            if isPlace {
                let equals = part.firstIndex(of: "=")
                let place = part[..<(equals ?? part.endIndex)].replacing("@", with: " @")
                words += place.split(whereSeparator: \.isWhitespace).map(String.init)
                if equals != nil { words.append("=") }
                rest = equals.map { part[part.index(after: $0)...] } ?? ""
                isPlace = equals == nil
            }
            words += rest.split(whereSeparator: \.isWhitespace).map(String.init)
        }
        return words
    }

    var isEmpty: Bool { words.isEmpty }
    var rest: String { words.joined(separator: " ") }

    func error(_ problem: String) -> WhisperError {
        WhisperError(.invalidArgument, "in the intervention \"\(text)\": \(problem)")
    }

    mutating func next(_ expected: String) throws -> String {
        guard let word = words.popFirst() else { throw error("expected \(expected) at its end") }
        return word
    }

    mutating func take(where condition: (String) -> Bool) -> String? {
        guard let word = words.first, condition(word) else { return nil }
        return words.popFirst()
    }

    mutating func number(_ expected: String) throws -> Float {
        let word = try next(expected)
        guard let number = Float(word), number.isFinite else { throw error("expected \(expected), not \"\(word)\"") }
        return number
    }

    mutating func natural(_ expected: String) throws -> Int {
        let word = try next(expected)
        guard let number = Int(word), number >= 0 else { throw error("expected \(expected), not \"\(word)\"") }
        return number
    }

    mutating func latentChange() throws -> LatentChange {
        _ = take { $0 == "=" }
        switch try next("zero, scale x or set v") {
        case "zero": return .set(0)
        case "scale": return .scale(try number("a factor"))
        case "set": return .set(try number("a value"))
        case let other: throw error("\"\(other)\" does not change a latent; expected zero, scale x or set v")
        }
    }

    mutating func integers(_ expected: String) throws -> [Int] {
        let word = try next(expected)
        return try word.split(separator: ",", omittingEmptySubsequences: false).map {
            guard let number = Int($0) else { throw error("expected \(expected), not \"\(word)\"") }
            return number
        }
    }

    /// `a:b`, half open, in positions or (`1.5s`) in seconds; a bound left out is the first or the last.
    mutating func range(perSecond: Double?) throws -> Range<Int> {
        let word = try next("a range, as in 50:100")
        let parts = word.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw error("expected a range, as in 50:100, not \"\(word)\"") }
        func bound(_ part: Substring, _ absent: Int) throws -> Int {
            if part.isEmpty { return absent }
            if let position = Int(part), position >= 0 { return position }
            if part.hasSuffix("s"), let seconds = Double(part.dropLast()), let perSecond,
                (0..<1e6).contains(seconds)
            {
                return Int((seconds * perSecond).rounded())
            }
            throw error("\"\(part)\" is not a position; expected a number, or seconds as in 1.5s")
        }
        let lower = try bound(parts[0], 0), upper = try bound(parts[1], .max)
        guard lower < upper else { throw error("the range \(word) is empty") }
        return lower..<upper
    }
}
