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
