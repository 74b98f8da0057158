import Files
import Foundation
import TestSupport
import Testing

@Suite("File names are bytes") struct PathTextTests {
    /// Characters of a string, with U+00xx from 0x80 on standing for the byte itself.
    private static func bytes(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

    static let names: [[UInt8]] = [
        bytes("plain.wav"), Array("Übung ♪.wav".utf8), bytes("\u{FF}"), bytes("a\u{FF}\u{80}.wav"), bytes("\u{C3}"),
        bytes("\u{C3}("), bytes("\u{F0}\u{9F}\u{98}"), Array("\u{EFFF}x".utf8), bytes("\u{EE}\u{BE}\u{80}\u{FE}"),
        bytes("\u{ED}\u{A0}\u{80}"), Array("\u{EF7F}\u{F000}".utf8), [],
    ]

    @Test("every name has a text, and the text stands for that name", arguments: names)
    func there(name: [UInt8]) {
        let text = PathText.text(name)
        #expect(PathText.bytes(text) == name)
        let seen = PathText.withName(text) { UnsafeRawBufferPointer(start: $0, count: strlen($0)).map { $0 } }
        #expect(seen == name)
    }

    @Test("no two names have the same text, and what is UTF-8 stays as it is")
    func apart() {
        #expect(Set(Self.names.map { PathText.text($0) }).count == Self.names.count)
        #expect(PathText.text(Array("Übung ♪.wav".utf8)) == "Übung ♪.wav")
        #expect(PathText.text([0x61, 0xFF]) == "a\u{EFFF}")
        #expect(PathText.shown(PathText.text([0x61, 0xFF, 0x62])) == "a\\xFFb")
    }

    @Test("names of chance come back")
    func chance() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<2000 {
            let name = (0..<Int.random(in: 0...12, using: &random)).map { _ -> UInt8 in
                [0xEE, 0xBE, 0xBF, 0x80, 0xFF, 0x61, .random(in: 1...255, using: &random)].randomElement(
                    using: &random)!
            }
            #expect(PathText.bytes(PathText.text(name)) == name)
        }
    }

    @Test("a file under such a name is written, listed and read")
    func file() throws {
        let folder = try TemporaryFolder()
        let name = PathText.text(Array("x".utf8) + [0xFF] + Array(".txt".utf8))
        try PendingFile.write(Data([1, 2, 3]), to: folder(name))
        #expect(try FolderListing.files(below: folder.path) == [name])
        #expect(try FileDescriptor(folder(name), O_RDONLY).size == 3)
    }
}
