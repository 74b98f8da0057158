import Files
import Messages

/// The results of a run in their order, of any size: the first in memory, the rest in a file without a name.
package struct StoredResults: Sendable {
    /// Bytes of results that are kept in memory.
    private static let mostInMemory = 8 << 20

    private enum Entry: Sendable {
        case inMemory(V1.PluginResult)
        case onDisk(RecordRegion)
    }

    private var entries: [Entry] = []
    private var bytesInMemory = 0
    private var spool: SpooledRecords?

    package init() {}
    package init(_ results: [V1.PluginResult]) { entries = results.map { .inMemory($0) } }

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// - Throws: ``Files/FileError`` where the disk is full.
    package mutating func append(_ result: V1.PluginResult) throws {
        let bytes = result.serialized()
        guard bytesInMemory + bytes.count > Self.mostInMemory else {
            bytesInMemory += bytes.count
            return entries.append(.inMemory(result))
        }
        let file = try spool ?? SpooledRecords()
        spool = file
        entries.append(.onDisk(try file.append(UInt64(entries.count), bytes)))
    }

    /// - Throws: ``Files/FileError`` where the file cannot be read.
    package subscript(index: Int) -> V1.PluginResult {
        get throws {
            switch entries[index] {
            case .inMemory(let result): return result
            case .onDisk(let place):
                var reader = RecordRegion.Reader(place)
                guard let record = try reader.next() else { return V1.PluginResult() }
                return try V1.PluginResult(serialized: record.bytes)
            }
        }
    }

    /// One after the other, never two in memory.
    package func forEach(_ body: (V1.PluginResult) throws -> Void) throws {
        for index in entries.indices { try body(self[index]) }
    }
}
