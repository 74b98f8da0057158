import Digests
import Foundation
import TestSupport
import Testing

/// `Tests/Fixtures/pinned/digests.json`: the SHA-256 of results, by their names.
enum PinnedDigests {
    private static let path = Fixtures.path("pinned/digests.json")

    /// Whether `generate.sh` runs the tests, which then write what they would compare with.
    static let isWriting = ProcessInfo.processInfo.environment["AUSCULT_PINNED"] == "write"

    private static var digests: [String: String] {
        (try? JSONDecoder().decode([String: String].self, from: Data(contentsOf: URL(filePath: path)))) ?? [:]
    }

    /// That of the C library's functions when the others were written.
    static var mathematics: String? { digests["mathematics"] }

    static func check(_ name: String, _ bytes: [UInt8]) throws {
        let digest = try SHA256.hex(of: bytes)
        guard isWriting else {
            let known = try #require(digests[name], "\(path) has no digest of the \(name)")
            #expect(digest == known, "the \(name) is no longer what it was")
            return
        }
        var digests = digests
        digests[name] = digest
        digests["mathematics"] = Mathematics.digest
        let lines = digests.sorted { $0.key < $1.key }.map { "  \"\($0.key)\": \"\($0.value)\"" }
        try Data("{\n\(lines.joined(separator: ",\n"))\n}\n".utf8).write(to: URL(filePath: path))
    }
}

/// The functions of the C library that results are made with.
///
/// Their last bits are not the same in every C library, nor with every processor: IEEE 754 leaves them free. Nearly all
/// of that is gone once a result is rounded to float32, but not all.
enum Mathematics {
    /// Of what they give at 8,192 places each.
    static let digest: String = {
        let functions: [(Double) -> Double] = [
            { exp(-$0) }, { erf($0 - 8) }, { log(1e-10 + $0) }, { log10(1e-10 + $0) }, { cos($0) }, { sin($0) },
            { pow(1 + $0, 0.6) },
        ]
        let values = functions.flatMap { function in (0..<8192).map { function(Double($0) / 512 + 1e-3) } }
        return values.withUnsafeBytes { (try? SHA256.hex(of: Data($0))) ?? "" }
    }()
}
