extension V1.PluginResult {
    /// Bytes of a value, about, that go into one message.
    package static let pieceBytes = 1 << 20

    /// Hands the result over in messages of bounded size: itself where it is small, else its beginning and then the rest of
    /// its value. What of a value is one piece already, a row or an axis' labels, stays whole.
    package func forEachPiece(_ body: (V1.PluginEvent.Event) throws -> Void) throws {
        var head = self
        head.continues = true
        switch value {
        case .array(var array)? where array.tensor?.data.count ?? 0 > Self.pieceBytes:
            let data = array.tensor?.data ?? []
            array.tensor?.data = []
            head.value = .array(array)
            try Self.hand(over: data, behind: head, body)
        case .audio(var clip)? where clip.samples.count > Self.pieceBytes:
            let samples = clip.samples
            clip.samples = []
            head.value = .audio(clip)
            try Self.hand(over: samples, behind: head, body)
        case .text(let text)? where text.utf8.count > Self.pieceBytes:
            head.value = .text("")
            try body(.result(head))
            try Self.forEachPart(of: text) { part, isLast in
                try body(.chunk(V1.PluginResultChunk(text: part, last: isLast)))
            }
        case .table(let table)? where !Self.isSmall(table.rows, Self.size):
            head.value = .table(V1.PluginTable(columns: table.columns))
            try body(.result(head))
            try Self.forEachPart(of: table.rows, Self.size) { rows, isLast in
                try body(.chunk(V1.PluginResultChunk(rows: Array(rows), last: isLast)))
            }
        case .events(let list)? where !Self.isSmall(list.events, Self.size):
            head.value = .events(.init())
            try body(.result(head))
            try Self.forEachPart(of: list.events, Self.size) { events, isLast in
                try body(.chunk(V1.PluginResultChunk(events: Array(events), last: isLast)))
            }
        default: try body(.result(self))
        }
    }

    private static func hand(
        over bytes: [UInt8], behind head: V1.PluginResult, _ body: (V1.PluginEvent.Event) throws -> Void
    ) throws {
        try body(.result(head))
        for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
            let end = min(start + pieceBytes, bytes.count)
            try body(.chunk(V1.PluginResultChunk(data: Array(bytes[start..<end]), last: end == bytes.count)))
        }
    }

    private static func size(_ row: V1.PluginRow) -> Int {
        row.cells.reduce(8) { sum, cell in
            if case .text(let text)? = cell.value { sum + text.utf8.count + 8 } else { sum + 12 }
        }
    }

    private static func size(_ event: V1.PluginTimedEvent) -> Int { 40 + event.label.utf8.count }

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

    /// Cut between characters, as each message holds text.
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

/// Puts the pieces of results together again, as they come one after the other.
package struct ResultAssembly: Sendable {
    /// The result whose value is coming, and what came of it.
    private var head: V1.PluginResult?
    private var rest = V1.PluginResultChunk()

    package init() {}

    /// The next event of a stream.
    /// - Returns: a result that is whole with it.
    /// - Throws: ``MessageError`` for pieces that do not belong together.
    package mutating func take(_ event: V1.PluginEvent.Event) throws -> V1.PluginResult? {
        switch event {
        case .result(let result):
            try finish()
            guard result.continues else { return result }
            head = result
            return nil
        case .chunk(let chunk):
            guard head != nil else { throw MessageError(.malformed, "a chunk came that belongs to no result") }
            rest.data += chunk.data
            rest.rows += chunk.rows
            rest.events += chunk.events
            rest.text += chunk.text
            return chunk.last ? try whole() : nil
        default: return nil
        }
    }

    /// Checks that nothing is missing.
    package func finish() throws {
        guard let head else { return }
        throw MessageError(.malformed, "the result '\(head.outputId)' ended before all of its value had come")
    }

    private mutating func whole() throws -> V1.PluginResult? {
        defer { (head, rest) = (nil, V1.PluginResultChunk()) }
        guard var result = head else { return nil }
        result.continues = false
        switch result.value {
        case .array(var array)?:
            array.tensor?.data = rest.data
            result.value = .array(array)
        case .audio(var clip)?:
            clip.samples = rest.data
            result.value = .audio(clip)
        case .table(var table)?:
            table.rows = rest.rows
            result.value = .table(table)
        case .events?: result.value = .events(V1.PluginTimedEvents(events: rest.events))
        case .text?: result.value = .text(rest.text)
        default:
            throw MessageError(.malformed, "a chunk came for the result '\(result.outputId)', whose value has no parts")
        }
        return result
    }
}
