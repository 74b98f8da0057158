import Reflection
import Testing

@Suite("Names that may have been meant") struct LikelyNamesTests {
    private static let names = ["start", "end", "label", "sampleRate", "List", "ListAll", "Info"]

    @Test(
        "one letter wrong, missing, too much or swapped, another case, and a part are understood",
        arguments: [
            ("strat", "start"), ("stort", "start"), ("stat", "start"), ("startt", "start"), ("START", "start"),
            ("samplerate", "sampleRate"), ("rate", "sampleRate"), ("lst", "List"), ("LsitAll", "ListAll"),
        ])
    func likely(wanted: String, name: String) { #expect(likelyNames(for: wanted, in: Self.names).first == name) }

    @Test("the likeliest comes first, and no more than asked for") func order() {
        #expect(likelyNames(for: "list", in: Self.names) == ["List", "ListAll"])
        #expect(likelyNames(for: "list", in: Self.names, count: 1) == ["List"])
    }

    @Test("what is like none is like none", arguments: ["", "x", "quux", "zzzzzzzzzzzz"])
    func unlike(wanted: String) { #expect(likelyNames(for: wanted, in: Self.names).isEmpty) }

    @Test("no name is like anything in no names") func nothing() {
        #expect(likelyNames(for: "start", in: []).isEmpty)
        #expect(likelyNames(for: "start", in: ["", ""]).isEmpty)
    }
}
