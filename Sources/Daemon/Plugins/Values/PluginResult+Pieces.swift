extension PluginResult {
    /// Bytes of a value, about, that are handed over at once.
    static let pieceBytes = 1 << 20

    /// Hands the result over in events of bounded size: itself where it is small, else its beginning and then the rest of
    /// its value. What of a value is one piece already, a row or an axis' labels, stays whole.
    func forEachPiece(_ body: (RunEvent) throws -> Void) throws {
        var head = self
        head.continues = true
        switch value {
        case .array(var array) where array.data.count > Self.pieceBytes:
            let data = array.data
            array.data = []
            head.value = .array(array)
            try body(.result(head))
            try Self.forEachPart(of: data) { try body(.more(.bytes($0), isLast: $1)) }
        case .audio(var sound) where sound.samples.count > Self.pieceBytes:
            let samples = sound.samples
            sound.samples = []
            head.value = .audio(sound)
            try body(.result(head))
            try Self.forEachPart(of: samples) { try body(.more(.bytes($0), isLast: $1)) }
        case .text(let text) where text.utf8.count > Self.pieceBytes:
            head.value = .text("")
            try body(.result(head))
            try Self.forEachPart(of: text) { try body(.more(.text($0), isLast: $1)) }
        case .table(let columns, let rows) where !Self.isSmall(rows, Self.size):
            head.value = .table(columns: columns, rows: [])
            try body(.result(head))
            try Self.forEachPart(of: rows, Self.size) { try body(.more(.rows(Swift.Array($0)), isLast: $1)) }
        case .events(let events) where !Self.isSmall(events, Self.size):
            head.value = .events([])
            try body(.result(head))
            try Self.forEachPart(of: events, Self.size) { try body(.more(.events(Swift.Array($0)), isLast: $1)) }
        default: try body(.result(self))
        }
    }

    private static func forEachPart(of bytes: [UInt8], _ body: ([UInt8], _ isLast: Bool) throws -> Void) throws {
        for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
            let end = min(start + pieceBytes, bytes.count)
            try body(Swift.Array(bytes[start..<end]), end == bytes.count)
        }
    }

    private static func size(_ row: [Cell]) -> Int {
        row.reduce(8) { sum, cell in
            if case .text(let text) = cell { sum + text.utf8.count + 8 } else { sum + 12 }
        }
    }

    private static func size(_ event: TimedEvent) -> Int { 40 + event.label.utf8.count }

    private static func isSmall<Element>(_ all: [Element], _ size: (Element) -> Int) -> Bool {
        var bytes = 0
        return all.allSatisfy { element in
            bytes += size(element)
            return bytes <= pieceBytes
        }
    }

    private static func forEachPart<Element>(
        of all: [Element], _ size: (Element) -> Int, _ body: (ArraySlice<Element>, _ isLast: Bool) throws -> Void
    ) throws {
        var (start, bytes) = (0, 0)
        for (index, element) in all.enumerated() {
            let more = size(element)
            if bytes + more > pieceBytes, index > start {
                try body(all[start..<index], false)
                (start, bytes) = (index, 0)
            }
            bytes += more
        }
        try body(all[start...], true)
    }

    /// Cut between characters, as each event holds text.
    private static func forEachPart(of text: String, _ body: (String, _ isLast: Bool) throws -> Void) throws {
        let (utf8, scalars) = (text.utf8, text.unicodeScalars)
        var start = text.startIndex
        while start < text.endIndex {
            var end = utf8.index(start, offsetBy: pieceBytes, limitedBy: text.endIndex) ?? text.endIndex
            while end < text.endIndex, end.samePosition(in: scalars) == nil { end = utf8.index(before: end) }
            try body(String(scalars[start..<end]), end == text.endIndex)
            start = end
        }
    }
}
