import Atlas
import Foundation
import Palette

/// What the page asks of an atlas, as JSON: the same for the server and for files.
struct PageData: Sendable {
    let store: AtlasStore

    /// The most features in one answer.
    static let greatestPage = 500

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

    /// A query as the page's address says it: q, hook, kind, lift, sort, order, page, size.
    /// - Throws: ``AtlasError`` (`invalidArgument`) for a value that is none of its kind.
    static func query(_ parameters: [String: String]) throws -> AtlasQuery {
        var query = AtlasQuery()
        query.search = parameters["q"] ?? ""
        guard query.search.utf8.count <= 1000 else {
            throw AtlasError(.invalidArgument, "a search has at most 1000 bytes; this has \(query.search.utf8.count)")
        }
        query.hook = parameters["hook"].flatMap { $0.isEmpty ? nil : $0 }
        query.kind = parameters["kind"].flatMap { $0.isEmpty ? nil : $0 }
        if let text = parameters["lift"], !text.isEmpty {
            guard let lift = Double(text), lift.isFinite, lift >= 0 else {
                throw AtlasError(
                    .invalidArgument, "lift cannot be '\(text.prefix(60))'; expected a number that is not below 0")
            }
            query.lift = lift
        }
        if let name = parameters["sort"] {
            guard let sort = AtlasQuery.Sort(rawValue: name) else {
                let names = AtlasQuery.Sort.allCases.map(\.rawValue).joined(separator: ", ")
                throw AtlasError(.invalidArgument, "cannot sort by '\(name.prefix(60))'; expected \(names)")
            }
            query.sort = sort
        }
        switch parameters["order"] {
        case nil: break
        case "up": query.ascending = true
        case "down": query.ascending = false
        case .some(let other):
            throw AtlasError(.invalidArgument, "no order is called '\(other.prefix(60))'; expected up or down")
        }
        query.page = try number(parameters["page"], "page", in: 0...1_000_000_000) ?? 0
        query.pageSize = try number(parameters["size"], "size", in: 1...greatestPage) ?? 100
        return query
    }

    private static func number(_ text: String?, _ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw AtlasError(
                .invalidArgument,
                "\(name) cannot be '\(text.prefix(60))'; expected a number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return value
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
