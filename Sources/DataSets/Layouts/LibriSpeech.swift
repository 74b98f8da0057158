import Files

/// LibriSpeech: `SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt`, a line `ID TEXT` for each `ID.flac` beside it.
enum LibriSpeech {
    private static let ending = ".trans.txt"

    static func isOne(_ folder: String) throws -> Bool {
        try FolderListing.files(below: folder).contains { $0.hasSuffix(ending) }
    }

    static func forEach(
        in folder: String, broken: (DataSetError) throws -> Void, _ body: (DataSetItem) throws -> Void
    ) throws {
        let files = try FolderListing.files(below: folder)
        let present = Set(files)
        for transcripts in files where transcripts.hasSuffix(ending) {
            let path = folder + "/" + transcripts
            let parent = transcripts.split(separator: "/").dropLast().map { $0 + "/" }.joined()
            try lines(of: path, broken: broken) { line, number in
                let fields = line.split(maxSplits: 1, whereSeparator: \.isWhitespace)
                guard fields.count == 2, let id = fields.first else {
                    throw DataSetError(
                        .dataLoss, file: path, line: number,
                        "expected an utterance's name and its text; it is \(quoted(line))")
                }
                guard let audio = ["flac", "wav"].map({ "\(parent)\(id).\($0)" }).first(where: present.contains) else {
                    throw DataSetError(
                        .notFound, file: path, line: number, "expected \(id).flac beside it; it is not there")
                }
                var item = DataSetItem(name: audio, source: .path(folder + "/" + audio))
                item.text = String(fields[1]).trimmed
                let parts = id.split(separator: "-")
                if parts.count >= 3 {
                    item.speaker = String(parts[0])
                    item.labels = [DataSetItem.Label(column: "chapter", value: String(parts[1]))]
                }
                return item
            } item: {
                try body($0)
            }
        }
    }

    private static func lines(
        of path: String, broken: (DataSetError) throws -> Void,
        _ read: (String, Int) throws -> DataSetItem, item: (DataSetItem) throws -> Void
    ) throws {
        var reader = try LineReader(path)
        while true {
            let next: DataSetItem
            do {
                guard let line = try reader.next() else { return }
                if line.allSatisfy(\.isWhitespace) { continue }
                next = try read(line, reader.number)
            } catch let error as DataSetError where error.code != .invalidArgument {
                try broken(error)
                continue
            }
            try item(next)
        }
    }
}
