import PluginKit
import TestHost
import TestSupport
import Testing

@testable import CutWords

/// A model that writes a word where at least half of its frames are left, and "um" where none is.
@Suite("Cut words") struct CutWordsTests {
    private static let words = ["alpha", "bravo", "charlie", "delta"]
    /// Each lasts 0.2 s, with 0.1 s behind it.
    private static let times = (0..<4).map { (start: 0.3 * Double($0), end: 0.3 * Double($0) + 0.2) }

    private func clip(_ number: UInt64 = 0, timed: Bool = true) -> TestClip {
        let words = zip(Self.words, Self.times).map { (start: $1.start, end: $1.end, label: $0.uppercased()) }
        return recording(number, Self.words.joined(separator: " "), seconds: 1.2, words: timed ? words : [])
    }

    private func services(_ asked: Asked? = nil) -> TestServices {
        var services = TestServices()
        services.transcribe = { _, _, interventions in
            asked?.all += interventions
            guard let change = interventions.first else { return " Alpha bravo, Charlie delta." }
            let parts = change.split(separator: " ").map(String.init)
            if parts[1] == "@word" { return "Alpha bravo delta" }
            if parts[1].hasPrefix("@\"") {
                throw PluginError(.notFound, "there is no \"zulu\"; there are alpha, bravo")
            }
            let bounds = parts[2].split(separator: ":").map { text in
                text.hasSuffix("s") ? Int((Double(text.dropLast()) ?? 0) * 50) : Int(text) ?? 0
            }
            let cut = bounds[0]..<bounds[1]
            return zip(Self.words, Self.times).compactMap { word, time in
                let frames = Int((time.start * 50).rounded())..<Int((time.end * 50).rounded())
                let left = frames.count - frames.clamped(to: cut).count
                return left * 2 >= frames.count ? word : left == 0 && cut.count > 12 ? "um" : nil
            }.joined(separator: " ")
        }
        return services
    }

    private final class Asked { var all: [String] = [] }

    private func instance(
        _ folder: TemporaryFolder, _ arguments: [String: String] = [:], _ asked: Asked? = nil
    ) throws -> TestInstance {
        try TestPlugin.built("cut-words", in: folder.path).instance(arguments, services: services(asked))
    }

    @Test("which width takes exactly the word away, and which its neighbours, is found")
    func widths() throws {
        let folder = try TemporaryFolder(), asked = Asked()
        let instance = try instance(folder, ["margins": "-0.08,0,0.02,0.3", "words": "0"], asked)
        try instance.run([clip()])
        let rows = try instance.rows("margins")
        #expect(rows.map { $0.number("cuts") } == [4, 4, 4, 4])
        // 4 of a word's 200 ms; the word; a frame more on each side, which reaches nobody; all of the neighbours, which become "um".
        #expect(rows.map { $0.number("gone") } == [0, 1, 1, 1])
        #expect(rows.map { $0.number("exactly") } == [0, 1, 1, 0])
        #expect(rows.map { $0.number("unchanged") } == [1, 0, 0, 0])
        #expect(rows.map { $0.number("before") } == [0, 0, 0, 1] && rows.map { $0.number("behind") } == [0, 0, 0, 1])
        #expect(rows[3].number("lost") == 0)
        let offsets = try instance.matrix("offsets")
        #expect(offsets.shape == [4, 11])
        #expect(offsets.values[11 + 5] == 1 && offsets.values[11 + 4] == 0 && offsets.values[11].isNaN)
        #expect(asked.all.contains("encoder.ln_post @frames 15:25 substitute-padding"))
        let cuts = try instance.rows("cuts")
        #expect(
            cuts.contains {
                $0.text("difference") == "alpha [-bravo-] charlie delta" && $0.text("outcome") == "exactly"
            })
        #expect(try instance.text("summary").contains("of 4 words with times 4 are written"))
    }

    @Test("a place of a recording gives both transcripts and their difference")
    func places() throws {
        let folder = try TemporaryFolder(), asked = Asked()
        for (argument, text) in [
            (["frames": "0:12"], "[-alpha-] bravo charlie delta"),
            (["seconds": "0.9:1.1"], "alpha bravo charlie [-delta-]"),
            (["word": "3"], "alpha bravo [-charlie-] delta"),
        ] {
            let instance = try instance(folder, argument, asked)
            try instance.run([clip(timed: false)])
            #expect(try instance.text("difference", recording: "0.wav") == text)
            let row = try #require(try instance.rows("places").first)
            #expect(row.text("unchanged") == " Alpha bravo, Charlie delta." && row.number("come") == 0)
        }
        #expect(asked.all.contains("encoder.ln_post @frames 0.9s:1.1s substitute-padding"))
        #expect(asked.all.contains("encoder.ln_post @word 3 substitute-padding"))
        let absent = try instance(folder, ["word": "zulu papa"], asked)
        #expect { try absent.run([clip()]) } throws: { "\($0)".contains("there are alpha, bravo") }
        #expect(asked.all.contains("encoder.ln_post @\"zulu papa\" substitute-padding"))
    }

    @Test("words are drawn by the seed and the recording alone, and shares make one run in any order")
    func merged() throws {
        let folder = try TemporaryFolder()
        let whole = try instance(folder, ["words": "2"])
        try whole.run([clip(0), clip(1), clip(2)])
        let states = try [[clip(2), clip(0)], [clip(1)]].map { clips in
            let part = try instance(folder, ["words": "2"])
            try part.activate()
            for clip in clips { try part.process(clip) }
            return try part.save()
        }
        let merged = try instance(folder, ["words": "2"])
        for state in states { try merged.merge(state) }
        try merged.activate()
        try merged.finish()
        for output in ["margins", "lengths", "cuts"] {
            #expect(try merged.lines(output) == whole.lines(output), "\(output)")
        }
        #expect(Set(try whole.rows("cuts").map { $0.text("recording") + $0.text("word") }).count == 6)
    }

    @Test("recordings without times of words are told of, and a data set without any is refused with what to do")
    func untimed() throws {
        let folder = try TemporaryFolder()
        let instance = try instance(folder)
        #expect { try instance.run([clip(timed: false)]) } throws: { "\($0)".contains("auscult align") }
        // A place is found without labels, words are not.
        #expect(instance.needs.flags == 0b1010)
        #expect(try self.instance(folder, ["word": "1"]).needs.flags == 0b10)
        let other = try self.instance(folder)
        var long = clip(1)
        long.windowCount = 2
        var second = long
        second.window = 1
        try other.run([clip(0), long, second])
        #expect(other.log.contains { $0.contains("1.wav takes several windows") })
        #expect(Set(try other.rows("cuts").map { $0.text("recording") }) == ["0.wav"])
    }

    @Test(
        "nonsense is refused in words",
        arguments: [
            ["frames": "5"], ["frames": "5:2"], ["frames": "0.5:2"], ["seconds": "a:b"], ["seconds": "-1:2"],
            ["word": "\"x\""], ["margins": ""], ["margins": "wide"], ["hook": ""], ["frames": "0:5", "word": "2"],
        ])
    func refused(_ arguments: [String: String]) throws {
        let folder = try TemporaryFolder()
        #expect(throws: TestHostError.self) { try instance(folder, arguments) }
    }
}
