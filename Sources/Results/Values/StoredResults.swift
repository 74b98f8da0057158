import Files
import Messages

/// The results of a run in their order, of any size: the first in memory, the rest in a file without a name.
package struct StoredResults: Sendable {
    /// Bytes of results that are kept in memory.
    private static let mostInMemory = 8 << 20

    private enum Place: Sendable {
        case memory(V1.PluginResult)
        case disk(RecordRegion)
    }

    /// What each result is of can be asked without reading it.
    private var entries: [(output: String, place: Place)] = []
    private var bytesInMemory = 0
    private var spool: SpooledRecords?

    package init() {}
    package init(_ results: [V1.PluginResult]) { entries = results.map { ($0.outputId, .memory($0)) } }

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// - Throws: ``Files/FileError`` where the disk is full.
    package mutating func append(_ result: V1.PluginResult) throws {
        let bytes = result.serialized()
        guard bytesInMemory + bytes.count > Self.mostInMemory else {
            bytesInMemory += bytes.count
            return entries.append((result.outputId, .memory(result)))
        }
        let file = try spool ?? SpooledRecords()
        spool = file
        entries.append((result.outputId, .disk(try file.append(UInt64(entries.count), bytes))))
    }

    /// - Throws: ``Files/FileError`` where the file cannot be read.
    package subscript(index: Int) -> V1.PluginResult {
        get throws {
            switch entries[index].place {
            case .memory(let result): return result
            case .disk(let region):
                var reader = RecordRegion.Reader(region)
                guard let record = try reader.next() else { return V1.PluginResult() }
                return try V1.PluginResult(serialized: record.bytes)
            }
        }
    }

    /// Which of them are of an output, in their order.
    package func indices(of output: String) -> [Int] { entries.indices.filter { entries[$0].output == output } }

    /// One after the other, never two in memory.
    package func forEach(_ body: (V1.PluginResult) throws -> Void) throws {
        for index in entries.indices { try body(self[index]) }
    }
}
