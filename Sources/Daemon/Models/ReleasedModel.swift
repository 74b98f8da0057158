import Foundation

/// A file that can be downloaded: where it lies, and the SHA-256 that it must have.
public struct ReleasedFile: Sendable, Equatable {
    public let name: String
    public let url: String
    public let sha256: String

    public init(name: String, url: String, sha256: String) {
        self.name = name
        self.url = url
        self.sha256 = sha256
    }

    /// The address to load from. With `$AUSCULT_MIRROR` set, that is `$AUSCULT_MIRROR/SHA256/NAME`.
    public func address(environment: [String: String] = ProcessInfo.processInfo.environment) throws -> URL {
        var text = url
        if var mirror = environment["AUSCULT_MIRROR"], !mirror.isEmpty {
            while mirror.hasSuffix("/") { mirror.removeLast() }
            text = "\(mirror)/\(sha256)/\(name)"
        }
        guard let url = URL(string: text), let scheme = url.scheme, ["https", "http"].contains(scheme), url.host != nil
        else {
            throw ServiceError(.invalidArgument, "cannot download from '\(text)': expected an http or https address")
        }
        return url
    }
}

/// A checkpoint of openai/whisper that `models pull` knows.
///
/// Addresses, digests and alignment heads are those of openai/whisper's `__init__.py` (release 20250625): in
/// the address of a checkpoint, the folder above the file is the file's SHA-256.
public struct ReleasedModel: Sendable {
    public let name: String
    /// Other names of the same checkpoint.
    public let aliases: [String]
    public let weights: ReleasedFile
    public let vocabulary: ReleasedFile
    /// (layer, head) of the cross-attention heads that follow the audio.
    public let alignmentHeads: [[Int]]

    public init(
        name: String, aliases: [String] = [], weights: ReleasedFile, vocabulary: ReleasedFile,
        alignmentHeads: [[Int]] = []
    ) {
        self.name = name
        self.aliases = aliases
        self.weights = weights
        self.vocabulary = vocabulary
        self.alignmentHeads = alignmentHeads
    }

    /// The released model of this name or alias.
    public static func named(_ name: String, in releases: [ReleasedModel] = all) -> ReleasedModel? {
        releases.first { $0.name == name || $0.aliases.contains(name) }
    }

    public static let all: [ReleasedModel] = [
        whisper(
            "tiny.en", "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03",
            [[1, 0], [2, 0], [2, 5], [3, 0], [3, 1], [3, 2], [3, 3], [3, 4]]),
        whisper(
            "tiny", "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9",
            [[2, 2], [3, 0], [3, 2], [3, 3], [3, 4], [3, 5]]),
        whisper(
            "base.en", "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead",
            [[3, 3], [4, 7], [5, 1], [5, 5], [5, 7]]),
        whisper(
            "base", "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e",
            [[3, 1], [4, 2], [4, 3], [4, 7], [5, 1], [5, 2], [5, 4], [5, 6]]),
        whisper(
            "small.en", "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872",
            [
                [6, 6], [7, 0], [7, 3], [7, 8], [8, 2], [8, 5], [8, 7], [9, 0], [9, 4], [9, 8], [9, 10], [10, 0],
                [10, 1], [10, 2], [10, 3], [10, 6], [10, 11], [11, 2], [11, 4],
            ]),
        whisper(
            "small", "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794",
            [[5, 3], [5, 9], [8, 0], [8, 4], [8, 7], [8, 8], [9, 0], [9, 7], [9, 9], [10, 5]]),
        whisper(
            "medium.en", "d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f",
            [
                [11, 4], [14, 1], [14, 12], [14, 14], [15, 4], [16, 0], [16, 4], [16, 9], [17, 12], [17, 14], [18, 7],
                [18, 10], [18, 15], [20, 0], [20, 3], [20, 9], [20, 14], [21, 12],
            ]),
        whisper(
            "medium", "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1",
            [[13, 15], [15, 4], [15, 15], [16, 1], [20, 0], [23, 4]]),
        whisper(
            "large-v1", "e4b87e7e0bf463eb8e6956e646f1e277e901512310def2c24bf0e11bd3c28e9a",
            [[9, 19], [11, 2], [11, 4], [11, 17], [22, 7], [22, 11], [22, 17], [23, 2], [23, 15]]),
        whisper(
            "large-v2", "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524",
            [
                [10, 12], [13, 17], [16, 11], [16, 12], [16, 13], [17, 15], [17, 16], [18, 4], [18, 11], [18, 19],
                [19, 11], [21, 2], [21, 3], [22, 3], [22, 9], [22, 12], [23, 5], [23, 7], [23, 13], [25, 5], [26, 1],
                [26, 12], [27, 15],
            ]),
        whisper(
            "large-v3", aliases: ["large"], "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb",
            [[7, 0], [10, 17], [12, 18], [13, 12], [16, 1], [17, 14], [19, 11], [21, 4], [24, 1], [25, 6]]),
        whisper(
            "large-v3-turbo", aliases: ["turbo"],
            "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a",
            [[2, 4], [2, 11], [3, 3], [3, 6], [3, 11], [3, 14]]),
    ]

    private static func whisper(
        _ name: String, aliases: [String] = [], _ sha256: String, _ heads: [[Int]]
    ) -> ReleasedModel {
        let file = name + ".pt"
        let url = "https://openaipublic.azureedge.net/main/whisper/models/\(sha256)/\(file)"
        return ReleasedModel(
            name: name, aliases: aliases, weights: ReleasedFile(name: file, url: url, sha256: sha256),
            vocabulary: name.hasSuffix(".en") ? gpt2 : multilingual, alignmentHeads: heads)
    }

    private static let gpt2 = vocabulary(
        "gpt2.tiktoken", "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930")
    private static let multilingual = vocabulary(
        "multilingual.tiktoken", "b34b360dbb493e781e479794586d661700670d65564001f23024971d1f2fa126")

    private static func vocabulary(_ name: String, _ sha256: String) -> ReleasedFile {
        let url = "https://raw.githubusercontent.com/openai/whisper/v20250625/whisper/assets/\(name)"
        return ReleasedFile(name: name, url: url, sha256: sha256)
    }
}
