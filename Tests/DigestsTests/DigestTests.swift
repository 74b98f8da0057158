import Digests
import Files
import Foundation
import TestSupport
import Testing

@Suite("Digests") struct DigestTests {
    @Test(
        "SHA-256 equals the values of FIPS 180-4's examples",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func digest(text: String, expected: String) throws {
        #expect(try SHA256.hex(of: Array(text.utf8)) == expected)
    }

    @Test("the digest of files is that of their concatenation, across pieces")
    func fileDigest() throws {
        let folder = try TemporaryFolder()
        let bytes = (0..<2_500_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let a = try folder.write(bytes.prefix(1_200_001), to: "a")
        let b = try folder.write(bytes.dropFirst(1_200_001), to: "b")
        #expect(try SHA256.hex(ofFiles: [a, b]) == SHA256.hex(of: bytes))
        #expect(throws: FileError.self) { try SHA256.hex(ofFiles: [folder("absent")]) }
    }
}
