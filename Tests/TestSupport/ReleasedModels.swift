import Foundation

/// Released weights, which `make released` brings. Where they are absent, what needs them is skipped.
public enum ReleasedModels {
    /// For a test's `.enabled(if:)`.
    public static let absence: String = "released weights are not here; 'make released' brings them"

    /// The folder of `tiny.en` or `base`, or nil.
    public static func folder(_ name: String) -> String? {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let folder = root.appending(path: ".build/released/whisper-\(name)").path
        return FileManager.default.fileExists(atPath: folder + "/model.bin") ? folder : nil
    }
}
