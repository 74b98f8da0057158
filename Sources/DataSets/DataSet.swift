import Files
import Foundation

/// A list of recordings in a defined order: a folder, a manifest, a corpus in its published layout, or `demo:`.
public struct DataSet: Sendable {
    /// What stands for the embedded clips.
    public static let demo = "demo:"

    /// How its files lie.
    public enum Layout: String, Sendable {
        case folder, manifest, libriSpeech, commonVoice, demo
        /// Hugging Face's: a folder whose recordings `metadata.csv` or `metadata.jsonl` lists.
        case audioFolder
    }

    /// A file or a folder, absolute, or ``demo``.
    public let place: String
    public let layout: Layout
    private let clips: @Sendable () throws -> [DataSetItem]

    /// - Parameters:
    ///   - place: an absolute path, or ``demo``.
    ///   - clips: the embedded clips; this module has none of its own.
    /// - Throws: ``DataSetError``, ``Files/FileError`` for a place that is none.
    public init(_ place: String, clips: @escaping @Sendable () throws -> [DataSetItem] = { [] }) throws {
        self.place = place.count > 1 && place.hasSuffix("/") ? String(place.dropLast()) : place
        self.clips = clips
        guard place != Self.demo else {
            layout = .demo
            return
        }
        guard place.hasPrefix("/") else {
            throw DataSetError(.invalidArgument, file: place, "expected an absolute path, or \(Self.demo)")
        }
        layout = try Self.layout(of: self.place)
    }

    private static func layout(of place: String) throws -> Layout {
        guard try isFolder(place) else {
            guard Manifest.Form(path: place) != nil else {
                throw DataSetError(
                    .invalidArgument, file: place,
                    "expected a folder, or a manifest ending in .jsonl, .ndjson, .json, .tsv, .tab or .csv")
            }
            return .manifest
        }
        if try metadata(of: place) != nil { return .audioFolder }
        if exists(place + "/validated.tsv"), exists(place + "/clips") { return .commonVoice }
        return try LibriSpeech.isOne(place) ? .libriSpeech : .folder
    }

    /// Goes through all recordings in their order, which is the same each time.
    /// - Parameters:
    ///   - first: the index of the first.
    ///   - broken: told of each row that describes no recording, each kind of file in a folder that is none, and each key that
    ///     nothing is made of. They are left out, unless this throws; ``DataSetError/losesRecording`` says which matter.
    /// - Throws: what `broken` and `body` throw; ``DataSetError``, ``Files/FileError`` where nothing can be read at
    /// all.
    public func forEach(
        from first: Int = 0, broken: (DataSetError) throws -> Void, _ body: (DataSetItem) throws -> Void
    ) throws {
        var index = first
        func number(_ item: DataSetItem) throws {
            var item = item
            item.index = index
            index += 1
            try body(item)
        }
        switch layout {
        case .demo: for item in try clips() { try number(item) }
        case .folder: try AudioFolder.forEach(in: place, broken: broken, number)
        case .manifest: try Manifest.forEach(in: place, broken: broken, number)
        case .audioFolder:
            if let list = try Self.metadata(of: place) { try Manifest.forEach(in: list, broken: broken, number) }
        case .libriSpeech: try LibriSpeech.forEach(in: place, broken: broken, number)
        case .commonVoice: try Manifest.forEach(in: place + "/validated.tsv", broken: broken, number)
        }
    }

    /// Whether a path stands for several recordings: a folder, or a manifest by its ending.
    public static func isOne(_ place: String) -> Bool {
        place == demo || (try? isFolder(place)) == true || Manifest.Form(path: place) != nil
    }

    /// What lists the recordings of a folder as Hugging Face's `audiofolder` does; a file of that name which lists none
    /// is somebody else's.
    private static func metadata(of folder: String) throws -> String? {
        try ["metadata.jsonl", "metadata.csv"].map { "\(folder)/\($0)" }.first { path in
            guard exists(path) else { return false }
            var lines = try LineReader(path)
            return try lines.next()?.contains("file_name") == true
        }
    }

    static func exists(_ path: String) -> Bool { PathText.withName(path) { access($0, F_OK) } == 0 }

    private static func isFolder(_ path: String) throws -> Bool {
        var status = stat()
        guard PathText.withName(path, { stat($0, &status) }) == 0 else { throw FileError.cannotRead(path) }
        return status.st_mode & S_IFMT == S_IFDIR
    }
}
