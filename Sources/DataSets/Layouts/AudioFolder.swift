import Files
import Foundation

/// A folder of recordings, with all below it, sorted by path; what lies beside a recording under its name describes it.
enum AudioFolder {
    /// Endings that libsndfile reads.
    static let endings: Set<String> = [
        "wav", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "aifc", "au", "snd", "caf", "w64", "rf64", "sph",
        "nist", "voc",
    ]

    /// Paths of all files below `folder`, relative to it, sorted by their bytes.
    static func files(below folder: String) throws -> [String] {
        guard access(folder, R_OK | X_OK) == 0 else { throw FileError.cannotRead(folder) }
        guard let walk = FileManager.default.enumerator(atPath: folder) else { throw FileError.cannotRead(folder) }
        var files: [String] = []
        // Hidden files are other programs' matters: a Mac leaves "._x.wav" behind, which is no sound.
        while let path = walk.nextObject() as? String {
            if !path.hasPrefix("."), !path.contains("/.") { files.append(path) }
        }
        return files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    static func forEach(
        in folder: String, broken: (DataSetError) throws -> Void, _ body: (DataSetItem) throws -> Void
    ) throws {
        let files = try files(below: folder)
        let present = Set(files)
        for path in files where endings.contains(ending(of: path)) {
            let found: DataSetItem
            do { found = try item(path, in: folder, present) } catch let error as DataSetError {
                try broken(error)
                continue
            }
            try body(found)
        }
    }

    private static func item(_ path: String, in folder: String, _ present: Set<String>) throws -> DataSetItem {
        let stem = withoutEnding(path)
        var item = DataSetItem(name: path, source: .path(folder + "/" + path))
        func beside(_ endings: [String]) -> String? {
            endings.map { "\(stem).\($0)" }.first(where: present.contains).map { folder + "/" + $0 }
        }
        let utterance = [stem.split(separator: "/").last.map(String.init) ?? stem]
        let found = [
            (["TextGrid", "textgrid"], AlignmentFile.Content.both), (["phn", "PHN"], .phonemes),
            (["wrd", "WRD"], .words), (["ctm", "CTM"], .words),
        ]
        item.alignments = found.compactMap { endings, content in
            beside(endings).map { AlignmentFile(path: $0, content: content, utterance: utterance) }
        }
        if let file = beside(["txt", "TXT", "lab"]) {
            let text = try TextFile.read(file).trimmed
            // TIMIT's transcripts begin with the first and the last sample.
            let fields = text.split(maxSplits: 2, whereSeparator: \.isWhitespace)
            let isTIMIT =
                beside(["phn", "PHN"]) != nil && fields.count == 3 && fields[..<2].allSatisfy { Int($0) != nil }
            item.text = (isTIMIT ? String(fields[2]) : text).nonEmpty
        }
        return item
    }
}
