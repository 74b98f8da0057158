import Foundation

/// What was downloaded from Hugging Face's hub before, by faster-whisper, transformers or the hub's own client.
///
/// The cache's layout is that of huggingface_hub: `models--ORG--NAME/refs/main` has the name of a folder below
/// `snapshots`, whose files are links to the content. Nothing is ever downloaded from here.
struct HubCache {
    let folder: String

    /// Where huggingface_hub keeps it: `$HF_HUB_CACHE`, `$HUGGINGFACE_HUB_CACHE`, `$HF_HOME/hub`, or below the user's
    /// caches.
    init(environment: [String: String]) {
        func variable(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : ($0 as NSString).expandingTildeInPath }
        }
        let caches = variable("XDG_CACHE_HOME") ?? ("~/.cache" as NSString).expandingTildeInPath
        folder =
            variable("HF_HUB_CACHE") ?? variable("HUGGINGFACE_HUB_CACHE")
            ?? (variable("HF_HOME") ?? caches + "/huggingface") + "/hub"
    }

    /// Whether `name` can be a model's on the hub: `Systran/faster-whisper-tiny`, two words with a stroke between them.
    static func isRepository(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy(isWord)
    }

    private static func isWord(_ text: Substring) -> Bool {
        (1...96).contains(text.utf8.count) && text.first != "." && text.first != "-"
            && text.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || [45, 46, 95].contains($0)
            }
    }

    /// The folder with the files of `repository`: those that `main` meant at the last download.
    /// - Throws: ``ServiceError``: `notFound` where the cache has none, `dataLoss` where it is not as the hub's client
    ///   leaves it.
    func snapshot(of repository: String) throws -> String {
        let model = folder + "/models--" + repository.replacingOccurrences(of: "/", with: "--")
        guard exists(model) else {
            throw ServiceError(
                .notFound,
                "no model at \(repository): there is no such file, and the cache of Hugging Face's hub in \(folder) does "
                    + "not have it; 'hf download \(repository)' brings it there, auscult downloads nothing by itself")
        }
        guard let commit = try commit(model) else {
            let names = snapshots(model)
            guard names.count == 1, let only = names.first else {
                throw ServiceError(
                    .dataLoss,
                    "\(model) has no refs/main, and \(names.count) snapshots; name the folder of the one to use")
            }
            return model + "/snapshots/" + only
        }
        let snapshot = model + "/snapshots/" + commit
        guard exists(snapshot) else {
            throw ServiceError(
                .notFound,
                "\(model)/refs/main names the snapshot \(commit), which is not there; 'hf download \(repository)' brings it"
            )
        }
        return snapshot
    }

    /// What `refs/main` says; nil where there is none.
    private func commit(_ model: String) throws -> String? {
        let file = model + "/refs/main"
        guard exists(file) else { return nil }
        guard let handle = FileHandle(forReadingAtPath: file), let bytes = try handle.read(upToCount: 256) else {
            throw ServiceError(.dataLoss, "\(file) is empty, or cannot be read")
        }
        let commit = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard Self.isWord(Substring(commit)) else {
            throw ServiceError(.dataLoss, "\(file) does not name a snapshot, but '\(commit.prefix(80))'")
        }
        return commit
    }

    private func snapshots(_ model: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: model + "/snapshots")) ?? []).sorted()
    }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}
