import Client
import Testing

@Suite("Paths that the program opens itself") struct PathsTests {
    @Test(
        "a relative path begins in the folder, and an absolute or an empty one is left alone",
        arguments: [
            ("a.wav", "/w/a.wav"), ("./a.wav", "/w/a.wav"), (".//a", "/w/a"), ("../a", "/w/../a"), (".", "/w/."),
            ("/a", "/a"),
            ("", ""), ("~/a", "/w/~/a"),
        ])
    func absolute(written: String, expected: String) {
        #expect(absolutePath(written, in: "/w") == expected)
    }
}
