import Files
import Foundation

/// A folder of recordings, with all below it, sorted by path; what lies beside a recording under its name describes it.
enum AudioFolder {
    /// Endings that are tried whatever is in the file.
    static let endings: Set<String> = [
        "wav", "wave", "bwf", "flac", "ogg", "oga", "opus", "mp3", "mp2", "aif", "aiff", "aifc", "au", "snd", "caf",
        "w64", "rf64", "sph", "nist", "voc", "m4a", "mp4", "m4b", "mov", "webm", "mkv", "mka", "wma", "aac", "amr",
        "3gp",
    ]

    /// Endings of what describes a recording of the same name.
    private static let beside: Set<String> = ["textgrid", "phn", "wrd", "ctm", "txt", "lab"]

    static func forEach(
        in folder: String, broken: (DataSetError) throws -> Void, _ body: (DataSetItem) throws -> Void
    ) throws {
        let files = try FolderListing.files(below: folder)
        let present = Set(files)
        var recordings: [String] = []
        var leftOut: [String: LeftOut] = [:]
        for path in files where !(beside.contains(ending(of: path))) {
            if let reason = reasonToLeaveOut(path, in: folder) {
                leftOut["\(ending(of: path))\n\(reason)", default: LeftOut(first: path, reason: reason)].count += 1
            } else {
                recordings.append(path)
            }
        }
        let stems = Set(recordings.map(withoutEnding))
        for path in files where beside.contains(ending(of: path)) && !stems.contains(withoutEnding(path)) {
            leftOut[ending(of: path), default: LeftOut(first: path, reason: "no recording of that name is beside it")]
                .count += 1
        }
        for path in recordings {
            let found: DataSetItem
            do { found = try item(path, in: folder, present) } catch let error as DataSetError {
                try broken(error)
                continue
            }
            try body(found)
        }
        for one in leftOut.values.sorted(by: { $0.first < $1.first }) {
            try broken(DataSetError(.leftOut, file: "\(folder)/\(one.first)", one.problem))
        }
    }

    /// Files of one kind that are no recordings.
    private struct LeftOut {
        let first: String
        let reason: String
        var count = 0

        var problem: String {
            count == 1 ? "left out: \(reason)" : "left out, with \(count - 1) more that end so: \(reason)"
        }
    }

    /// Nil for a file that is to be tried: by its ending, or by how it begins.
    private static func reasonToLeaveOut(_ path: String, in folder: String) -> String? {
        guard !endings.contains(ending(of: path)) else { return nil }
        guard let signature = FileSignature(path: "\(folder)/\(path)") else { return "it begins like no sound file" }
        guard signature.kind == .other else { return nil }
        let isManifest = Manifest.Form(path: path) != nil
        return "it is \(signature.name)" + (isManifest ? "; a manifest is to be named itself" : "")
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
            (["wrd", "WRD"], .words), (["phones.ctm"], .phonemes), (["words.ctm", "ctm", "CTM"], .words),
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
