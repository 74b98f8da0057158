@testable import DataSets
import Foundation

extension Fuzzed {
    /// What manifests end in, which says what their lines are; alignments come behind them.
    private static let endings = ["jsonl", "json", "csv", "tsv"]

    /// A manifest in a file that is written anew each time; an alignment in memory.
    static func manifest(_ bytes: [UInt8], _ how: UInt8) {
        let kind = Int(how % 8)
        if kind < endings.count {
            manifest(bytes, ending: endings[kind])
        } else {
            alignment(bytes, ending: AlignmentFile.endings[kind - endings.count])
        }
    }

    private static func manifest(_ bytes: [UInt8], ending: String) {
        let path = "\(FileManager.default.temporaryDirectory.path)/auscult-fuzz-\(getpid()).\(ending)"
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else { return }
        defer { unlink(path) }
        var last = -1
        try? DataSet(path).forEach(broken: { _ in }) { item in
            precondition(item.index == last + 1, "recordings are numbered one after another")
            last = item.index
        }
    }

    private static func alignment(_ bytes: [UInt8], ending: String) {
        let path = "fuzz.\(ending)"
        guard let text = try? TextFile.text(bytes, path),
            let alignment = try? AlignmentFile.parse(text, path: path, utterance: ["fuzz"], content: .both)
        else { return }
        for label in alignment.phonemes + alignment.words {
            precondition(label.start <= label.end, "a label does not end before it begins")
        }
    }
}
