import Files
import Foundation
import Whisper

/// Where a model comes from: what tells whether one in memory still is what its name means.
enum ModelOrigin: Hashable {
    case embedded
    /// A registry's entry, or one made up for a path.
    case files(RegisteredModel)

    /// What the files are like now. Other files in the same folder count where a checkpoint might read them too.
    var stamps: [FileStamp] {
        guard case .files(let entry) = self else { return [] }
        let isAFolder = (try? isFolder(entry.path)) == true
        let folder = isAFolder ? entry.path : (entry.path as NSString).deletingLastPathComponent
        let besides = fileNames(in: folder.isEmpty ? "." : folder).filter {
            Self.endings.contains(($0 as NSString).pathExtension.lowercased())
        }
        .map { (folder as NSString).appendingPathComponent($0) }
        return Set([entry.path, entry.vocabulary].compactMap { $0 } + besides).sorted().compactMap(FileStamp.init)
    }

    /// Those of weights, configurations and vocabularies.
    private static let endings: Set = ["bin", "json", "safetensors", "tiktoken", "txt"]
}

/// What the system says about a file; it changes when the file does.
struct FileStamp: Hashable {
    let path: String
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let seconds: Int
    private let nanoseconds: Int

    /// Nil where there is no such file.
    init?(_ path: String) {
        var status = stat()
        guard PathText.withName(path, { stat($0, &status) }) == 0 else { return nil }
        self.path = path
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}
