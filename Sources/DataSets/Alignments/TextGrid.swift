/// Praat's TextGrid, in its long and its short text form.
///
/// Both are one form to Praat itself: it reads free-standing numbers, quoted texts and flags, and takes all else as
/// comments. So does this.
struct TextGrid {
    struct Tier {
        var name: String
        var labels: [TimedLabel]
    }

    var tiers: [Tier] = []

    /// - Throws: ``DataSetError`` with the line.
    init(parsing text: String, file: String) throws {
        var reader = Tokens(text, file)
        let kind = try reader.text("the file type \"ooTextFile\"")
        guard kind.hasPrefix("ooTextFile") else { throw reader.error("the file type \"ooTextFile\"", quoted(kind)) }
        let object = try reader.text("the object class \"TextGrid\"")
        guard object.hasPrefix("TextGrid") else { throw reader.error("the object class \"TextGrid\"", quoted(object)) }
        _ = try reader.number("the start time")
        _ = try reader.number("the end time")
        guard try reader.flag("<exists>") else { return }
        for _ in 0..<(try reader.count("the number of tiers")) { tiers.append(try Self.tier(&reader)) }
    }

    private static func tier(_ reader: inout Tokens) throws -> Tier {
        let kind = try reader.text("\"IntervalTier\" or \"TextTier\"")
        guard kind == "IntervalTier" || kind == "TextTier" else {
            throw reader.error("\"IntervalTier\" or \"TextTier\"", quoted(kind))
        }
        var tier = Tier(name: try reader.text("the tier's name"), labels: [])
        _ = try reader.number("the tier's start")
        _ = try reader.number("the tier's end")
        // The number is not believed: memory grows with what is really there.
        for _ in 0..<(try reader.count("the number of intervals")) {
            let start = try reader.number("a start time")
            let end = kind == "IntervalTier" ? try reader.number("an end time") : start
            guard start <= end else { throw reader.error("an end after \(start)", "\(end)") }
            let label = try reader.text("a label").trimmed
            if !label.isEmpty { tier.labels.append(TimedLabel(start: start, end: end, label: label)) }
        }
        return tier
    }

    /// The tiers whose names speak of phonemes and words, as forced aligners call them.
    func alignment(file: String) throws -> Alignment {
        func labels(_ names: [String]) -> [TimedLabel]? {
            tiers.first { tier in names.contains { tier.name.lowercased().contains($0) } }?.labels
        }
        let phonemes = labels(["phon", "phn", "segment"])
        let words = labels(["word", "wrd", "ort"])
        guard phonemes != nil || words != nil else {
            throw DataSetError(
                .dataLoss, file: file,
                "expected a tier called phones or words; the tiers are "
                    + tiers.prefix(8).map { quoted($0.name) }.joined(separator: ", "))
        }
        return Alignment(phonemes: phonemes ?? [], words: words ?? [])
    }
}

/// What Praat reads of a text file.
private struct Tokens {
    private let scalars: [Unicode.Scalar]
    private let file: String
    private var place = 0
    private var line = 1

    init(_ text: String, _ file: String) {
        scalars = Array(text.unicodeScalars)
        self.file = file
    }

    private enum Token {
        case number(Double)
        case text(String)
        case flag(String)
        case end
    }

    private mutating func next() throws -> Token {
        while place < scalars.count {
            let scalar = scalars[place]
            if scalar == "\"" { return .text(try quotedText()) }
            if scalar == "!" {
                while place < scalars.count, scalars[place] != "\n" { place += 1 }
                continue
            }
            if scalar.properties.isWhitespace {
                if scalar == "\n" { line += 1 }
                place += 1
                continue
            }
            let word = bareWord()
            if let number = finiteNumber(word) { return .number(number) }
            if word.hasPrefix("<"), word.hasSuffix(">") { return .flag(word) }
        }
        return .end
    }

    private mutating func bareWord() -> String {
        let start = place
        while place < scalars.count, !scalars[place].properties.isWhitespace { place += 1 }
        return String(String.UnicodeScalarView(scalars[start..<place]))
    }

    /// A quote inside is written twice.
    private mutating func quotedText() throws -> String {
        let start = line
        place += 1
        var text = String.UnicodeScalarView()
        while place < scalars.count {
            let scalar = scalars[place]
            place += 1
            if scalar == "\n" { line += 1 }
            if scalar == "\"" {
                guard place < scalars.count, scalars[place] == "\"" else { return String(text) }
                place += 1
            }
            text.append(scalar)
        }
        throw DataSetError(.dataLoss, file: file, line: start, "expected a closing quote; the file ends")
    }

    func error(_ expected: String, _ came: String) -> DataSetError {
        DataSetError(.dataLoss, file: file, line: line, "expected \(expected); it is \(came)")
    }

    private func error(_ expected: String, _ token: Token) -> DataSetError {
        switch token {
        case .number(let number): error(expected, "\(number)")
        case .text(let text): error(expected, "the text \(quoted(text))")
        case .flag(let flag): error(expected, quoted(flag))
        case .end: DataSetError(.dataLoss, file: file, line: line, "expected \(expected); the file ends")
        }
    }

    mutating func number(_ expected: String) throws -> Double {
        let token = try next()
        guard case .number(let number) = token else { throw error(expected, token) }
        return number
    }

    mutating func count(_ expected: String) throws -> Int {
        let number = try number(expected)
        guard let count = Int(exactly: number), (0...10_000_000).contains(count) else {
            throw error(expected, "\(number)")
        }
        return count
    }

    mutating func text(_ expected: String) throws -> String {
        let token = try next()
        guard case .text(let text) = token else { throw error(expected, token) }
        return text
    }

    mutating func flag(_ wanted: String) throws -> Bool {
        let token = try next()
        guard case .flag(let flag) = token else { throw error(wanted, token) }
        return flag == wanted
    }
}

extension String {
    var trimmed: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    var nonEmpty: String? { isEmpty ? nil : self }
}
