import Atlas
import Foundation
import Palette

/// What the page asks of an atlas, as JSON: the same for the server and for files.
struct PageData: Sendable {
    let store: AtlasStore

    func about() throws -> Data {
        let complete = try store.scans().filter { $0.scan.status == .complete }
        return try json(
            PageAbout(
                name: (store.path as NSString).lastPathComponent, scans: complete.map(PageAbout.Scan.init),
                kinds: try store.labelKinds(), colours: ColourMap.table.map(\.hex)))
    }

    func features(_ query: AtlasQuery) throws -> Data {
        let page = try store.features(query)
        return try json(PageList(total: page.total, rows: page.rows))
    }

    func card(_ id: Int64) throws -> Data { try json(PageCard(try store.card(feature: id))) }

    func recording(_ id: Int64) throws -> Data { try json(PageRecordingDetail(try store.recording(id))) }

    /// The sound that an excerpt stands for.
    /// - Throws: ``AtlasError``: `notFound` for a recording that is not there or lies nowhere, `invalidArgument` for a part
    ///   beyond its end.
    func sound(_ excerpt: PageExcerpt, format: PageSound.Format) throws -> PageSound {
        let recording = try store.recording(excerpt.recording).recording
        guard let path = recording.path else {
            throw AtlasError(.notFound, "the atlas does not know where recording \(recording.id) lies")
        }
        if let seconds = recording.seconds, excerpt.end > seconds + 0.001 {
            throw AtlasError(
                .invalidArgument,
                "recording \(recording.id) ends at \(seconds) s; there is no sound up to \(excerpt.end) s")
        }
        return PageSound(
            path: path, recordingStart: recording.start, recordingEnd: recording.end, start: excerpt.start,
            end: excerpt.end, format: format)
    }

    /// Values that JSON has no number for become "NaN", "Infinity" and "-Infinity", which the page reads as such.
    func json(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try encoder.encode(value)
    }
}
