import Atlas
import Files
import Foundation
import Pages

/// An atlas' page as a folder that needs no server: for a static host, or to be opened from disk.
///
/// What the server would answer lies in `data/` and `sound/` as scripts that hand a value to the page, because a page
/// that was opened from disk may load scripts and read nothing else. Sounds are FLAC files in base64.
public struct PageExport: Sendable {
    public struct Choice: Sendable {
        /// Only features of this hook point; nil for all.
        public var hook: String?
        /// So many features, the best by ``sort`` first; nil for all.
        public var features: Int?
        public var sort: AtlasQuery.Sort = .selectivity
        /// Examples of each side of a feature.
        public var examples = 10
        /// Examples of each bin.
        public var binExamples = 3
        /// Columns of the data set with more values than these are left out: one that has a value of its own for each
        /// recording tells nothing of a feature, and would be most of an export.
        public var columnValues = 40
        /// Without, nothing can be played.
        public var sounds = true

        public init() {}
    }

    /// What was written.
    public struct Summary: Sendable, Equatable {
        public var features = 0
        public var recordings = 0
        public var sounds = 0
        /// Recordings whose sounds could not be made, with the reason; each once.
        public var silent: [String] = []
        public var bytes = 0
    }

    private let data: PageData
    private let makeSound: PageSoundMaker

    public init(store: AtlasStore, makeSound: @escaping PageSoundMaker) {
        data = PageData(store: store)
        self.makeSound = makeSound
    }

    /// Writes the folder.
    /// - Parameters:
    ///   - folder: is made where it is not there, and must be empty.
    ///   - progress: is called with the features that are written and all of them.
    /// - Throws: ``AtlasError`` and ``Files/FileError``. What was written by then stays.
    public func write(
        to folder: String, _ choice: Choice = Choice(), progress: (_ done: Int, _ all: Int) -> Void = { _, _ in }
    ) async throws -> Summary {
        var folder = try ExportFolder(folder)
        for (name, bytes) in try Self.page() { try folder.write(name, bytes) }
        let rows = try listed(choice)
        try folder.write("data/atlas", try data.about())
        try folder.write("data/features", try PageIndex.json(rows, data))

        var summary = Summary()
        let written = Set(rows.map(\.feature.id))
        var shared = SharedSounds()
        // Those of which all is there: the page takes the parts that it plays out of that.
        var whole: Set<Int64> = []
        var excerpts: Set<PageExcerpt> = []
        for (done, row) in rows.enumerated() {
            try Task.checkCancellation()
            progress(done, rows.count)
            var card = PageCard(
                try data.store.card(feature: row.feature.id), examples: choice.examples,
                binExamples: choice.binExamples, columnValues: choice.columnValues)
            for id in card.recordings.keys.compactMap({ Int64($0) }).sorted() where !shared.knows(id) {
                let recording = try data.store.recording(id)
                shared.add(recording.recording)
                // What is not part of an export is left out.
                var detail = PageRecordingDetail(recording, features: written)
                detail.excerpt = detail.excerpt.map(shared.excerpt)
                try folder.write("data/recording-\(id)", try data.json(detail))
                summary.recordings += 1
                if let excerpt = detail.excerpt, whole.insert(excerpt.recording).inserted {
                    try await write(excerpt, choice, &folder, &summary)
                }
            }
            card.mapExcerpts(shared.excerpt)
            try folder.write("data/feature-\(row.feature.id)", try data.json(card))
            summary.features += 1
            for excerpt in card.excerpts
            where !whole.contains(excerpt.recording) && excerpts.insert(excerpt).inserted {
                try await write(excerpt, choice, &folder, &summary)
            }
        }
        progress(rows.count, rows.count)
        summary.bytes = folder.bytes
        return summary
    }

    private func write(
        _ excerpt: PageExcerpt, _ choice: Choice, _ folder: inout ExportFolder, _ summary: inout Summary
    ) async throws {
        guard choice.sounds else { return }
        do {
            let sound = Data(try await makeSound(try data.sound(excerpt, format: .flac)))
            try folder.write("sound/\(excerpt.name)", Data("\"\(sound.base64EncodedString())\"".utf8))
            summary.sounds += 1
        } catch let error as PageSoundFailure {
            // A recording that has gone away does not lose the others.
            summary.silent.append(error.message)
        }
    }

    private func listed(_ choice: Choice) throws -> [AtlasFeatureRow] {
        var query = AtlasQuery()
        query.hook = choice.hook
        query.sort = choice.sort
        query.pageSize = 10_000
        let wanted = choice.features ?? Int.max
        var rows: [AtlasFeatureRow] = []
        while rows.count < wanted {
            let page = try data.store.features(query)
            rows += page.rows
            if page.rows.count < query.pageSize { break }
            query.page += 1
        }
        return Array(rows.prefix(wanted))
    }

    /// The page's own files: one script in place of the modules.
    static func page() throws -> [(name: String, bytes: [UInt8])] {
        let html = (PageFiles.text("atlas/index.html") ?? "")
            .replacing("<html lang=\"en\">", with: "<html lang=\"en\" data-atlas=\"files\">")
            .replacing("\"../shared/", with: "\"shared/")
            .replacing("<script type=\"module\" src=\"main.js\">", with: "<script defer src=\"page.js\">")
        let others = ServedFiles.atlas.all.filter { !$0.key.hasSuffix(".js") && $0.key != "index.html" }
        // An export is one folder, which may be put anywhere.
        return others.sorted { $0.key < $1.key }.map { ($0.key.replacing("../", with: ""), $0.value) } + [
            ("index.html", Array(html.utf8)),
            ("page.js", Array(try PageScript.bundle(PageFiles.modules, main: "atlas/main.js").utf8)),
        ]
    }
}

/// Recordings that are one sound: each scan of an atlas has recordings of its own, and two scans of one data set hear the same
/// files. Their sounds have the number of the first.
private struct SharedSounds {
    /// A part of a file.
    private struct Part: Hashable {
        var path: String
        var start, end, seconds: Double?
    }

    private var firsts: [Part: Int64] = [:]
    private var first: [Int64: Int64] = [:]

    func knows(_ recording: Int64) -> Bool { first[recording] != nil }

    mutating func add(_ recording: AtlasRecording) {
        guard let path = recording.path else {
            first[recording.id] = recording.id
            return
        }
        let part = Part(path: path, start: recording.start, end: recording.end, seconds: recording.seconds)
        first[recording.id] = firsts[part, default: recording.id]
        firsts[part] = first[recording.id]
    }

    /// The same excerpt of the first recording that is this sound.
    func excerpt(_ excerpt: PageExcerpt) -> PageExcerpt {
        var excerpt = excerpt
        excerpt.recording = first[excerpt.recording] ?? excerpt.recording
        return excerpt
    }
}

/// The folder that is written into.
private struct ExportFolder {
    let path: String
    var bytes = 0

    init(_ path: String) throws {
        self.path = path
        let there = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        var isFolder: ObjCBool = true
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        guard there.isEmpty, !exists || isFolder.boolValue else {
            throw FileError(.cannotCreate, "\(path) is there already; an export needs a folder of its own")
        }
        for name in ["", "data", "shared", "sound"] {
            do {
                try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
            } catch {
                throw FileError(.cannotCreate, "cannot make the folder \(path)/\(name): \(error.localizedDescription)")
            }
        }
    }

    /// A value as a script: JSON is JavaScript.
    mutating func write(_ name: String, _ json: Data) throws {
        var script = Data("auscultAtlas(\"\(name)\", ".utf8)
        script.append(json)
        script.append(contentsOf: ");\n".utf8)
        try write(name + ".js", Array(script))
    }

    mutating func write(_ name: String, _ content: [UInt8]) throws {
        try PendingFile.write(content, to: path + "/" + name)
        bytes += content.count
    }
}
