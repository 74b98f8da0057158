import StrictJSON
import Testing

@testable import Pages

@Suite("Paths in pages") struct PagePathsTests {
    @Test(
        "absolute paths are cut down to their last part, alone and in a sentence",
        arguments: [
            ("/home/me/My Voices/a b.wav", "a b.wav"), ("/data/talk.flac", "talk.flac"), ("/data/voices/", "voices"),
            ("cannot read /home/me/a.wav: no sound", "cannot read a.wav: no sound"),
            ("/home/me/a.wav: no sound", "a.wav: no sound"), ("dictionary=/tmp/out/sae", "dictionary=sae"),
            ("'/tmp/a/b.wav' and \"/c/d.wav\" (/e/f)", "'b.wav' and \"d.wav\" (f)"),
        ])
    func cut(text: String, shown: String) { #expect(PagePaths.without(folders: text) == shown) }

    @Test(
        "what is no absolute path stays",
        arguments: [
            "", "/", "a.wav", "voices/en/a.wav", "/k/", "the sounds /k/ and /s/", "m/s", "hat/ae", "1/2", "</script>",
            "data:audio/flac;base64,//8A/x8=", "https",
        ])
    func kept(text: String) { #expect(PagePaths.without(folders: text) == text) }

    @Test("a value's strings are cut, at any depth, and packed numbers are not")
    func values() {
        let value: JSON = [
            "file": "/a/b.wav", "rows": .array([.array(["/a/c.wav", .number(1)])]), "base64": "/a/bc",
        ]
        let cut = PagePaths.without(folders: value).compactText
        #expect(
            cut
                == JSON.object([
                    ("file", "b.wav"), ("rows", .array([.array(["c.wav", .number(1)])])), ("base64", "/a/bc"),
                ]).compactText)
    }
}
