import Audio
import Client
import Daemon
import Foundation
import Messages
import StrictJSON
import TerminalText
import TestSupport
import Testing

@testable import Commands

@Suite("Listening from the command line", .timeLimit(.minutes(5))) struct ListenCommandTests {
    private let features = "encoder.blocks.2.mlp.1:17,3-4"

    @Test("a file is played as time goes by, and each event is a line of JSON")
    func json() async throws {
        let result = try await auscult(
            "listen", "--file", "demo:en-slt-01", "--features", features, "--context", "800", "--format", "json",
            "--language", "en")
        #expect(result.status == 0, "\(result.error)")
        let lines = try result.output.split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8))
        }
        .compactMap { $0 as? [String: Any] }
        let kinds = lines.compactMap { $0["event"] as? String }
        #expect(kinds.count == lines.count && Set(kinds).isSuperset(of: ["level", "readings", "segment", "end"]))
        #expect(lines.compactMap { $0["seq"] as? Int } == Array(1...lines.count))
        let text = lines.filter { $0["event"] as? String == "segment" }.compactMap { $0["text"] as? String }.joined()
        #expect(text.contains("goat"))
        for reading in lines where reading["event"] as? String == "readings" {
            let values = try #require(reading["features"] as? [String: [Double]])
            let times = try #require(reading["times"] as? [Double])
            #expect(
                Set(values.keys) == [
                    "encoder.blocks.2.mlp.1:17", "encoder.blocks.2.mlp.1:3", "encoder.blocks.2.mlp.1:4",
                ])
            #expect(values.values.allSatisfy { $0.count == times.count })
            #expect((reading["made"] as? Double ?? 0) >= (reading["captured"] as? Double ?? .infinity))
        }
    }

    @Test("away from a terminal there is a line for each stretch of text, and for what settled")
    func lines() async throws {
        let result = try await auscult(
            "listen", "--file", "demo:en-slt-01", "--features", features, "--language", "en", "--intervene",
            "encoder.ln_post = zero", "--compare")
        #expect(result.status == 0, "\(result.error)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.contains { $0.contains("(without interventions)") && $0.contains("goat") })
        #expect(lines.contains { $0.hasPrefix("[00:0") && $0.contains("encoder.blocks.2.mlp.1:") })
        #expect(!result.output.contains("\u{1B}"))
    }

    @Test("what makes no sense is said before anything is listened to")
    func refused() async throws {
        let bad: [([String], Int32, String)] = [
            (["--features", "encoder.ln_post"], 64, "HOOK:INDEX"),
            (["--features", "encoder.ln_post:x"], 64, "no index"),
            (["--features", "encoder.ln_post:5-3"], 64, "no index"),
            (["--features", "encoder.ln_post:0-99999"], 64, "no index"),
            (["--file", "demo:nothing"], 66, "no clip"), (["--file", "nowhere.wav"], 66, "nowhere.wav"),
            (["--file", "a.wav", "--device", "2"], 64, "exclude"), (["--compare"], 64, "--intervene"),
            (["--file", "demo:en-slt-01", "--features", "encoder.nowhere:1"], 64, "encoder.nowhere"),
            (["--file", "demo:en-slt-01", "--hop", "30"], 64, "whole frames"),
            (["--file", "demo:en-slt-01", "--atlas", "nowhere.atlas"], 66, "nowhere.atlas"),
        ]
        for (arguments, status, words) in bad {
            let result = try await auscult(arguments: ["listen"] + arguments)
            #expect(
                result.status == status && result.error.contains(words),
                "\(arguments): \(result.status) \(result.error)")
        }
    }

    @Test("a recording has the sound, what settled, and text, gaps and marks for Praat")
    func recording() async throws {
        let folder = try TemporaryFolder()
        let result = try await auscult(
            "listen", "--file", "demo:en-slt-01", "--features", features, "--context", "800", "--language", "en",
            "--record", folder("session"))
        #expect(result.status == 0, "\(result.error)")
        let sound = try SampleBuffer.read(.file(folder("session/sound.flac"))).readAll()
        let clip = try SampleBuffer.read(AudioInput.clip(named: "en-slt-01").source).readAll()
        #expect(sound.map { Int($0 * 32768) } == clip.map { Int(($0 * 32768).rounded()) })
        let rows = try String(contentsOfFile: folder("session/features.csv"), encoding: .utf8).split(separator: "\n")
        #expect(rows[0] == "time,encoder.blocks.2.mlp.1:17,encoder.blocks.2.mlp.1:3,encoder.blocks.2.mlp.1:4")
        let times = rows.dropFirst().compactMap { $0.split(separator: ",").first.flatMap { Double($0) } }
        #expect(times.count == rows.count - 1 && times.count > 50 && times == times.sorted())
        let array = try Data(contentsOf: URL(fileURLWithPath: folder("session/features.npy")))
        #expect(array.range(of: Data("(\(times.count), 4,)".utf8)) != nil && array.count >= times.count * 16)
        let grid = try String(contentsOfFile: folder("session/session.TextGrid"), encoding: .utf8)
        for tier in ["text", "gaps", "marks"] { #expect(grid.contains("name = \"\(tier)\"")) }
        #expect(grid.contains("goat"))
        // What is there is not written over.
        let again = try await auscult("listen", "--file", "demo:en-slt-01", "--record", folder("session"))
        #expect(again.status == 73 && again.error.contains("has a recording already"))
    }

    @Test("a recording's folder with a pipe or a link of its files' names is refused, and nobody is waited for")
    func occupied() async throws {
        let folder = try TemporaryFolder()
        for (name, make) in [
            ("features.csv", { mkfifo($0, 0o600) }), ("sound.flac", { symlink("/nowhere", $0) }),
            ("session.TextGrid", { symlink("/dev/null", $0) }),
        ] as [(String, (String) -> Int32)] {
            try FileManager.default.createDirectory(atPath: folder(name), withIntermediateDirectories: true)
            #expect(make("\(folder(name))/\(name)") == 0)
            let result = try await auscult("listen", "--file", "demo:en-slt-01", "--record", folder(name))
            #expect(result.status == 73 && result.error.contains(name), "\(name): \(result.status) \(result.error)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder(name)) == [name])
        }
    }

    @Test("a TextGrid has intervals without holes, quotes twice, and an end behind everything")
    func textGrid() {
        var grid = TextGridFile()
        grid.intervals = [
            (
                "a \"b\"",
                [
                    .init(start: 1, end: 2, text: "x"), .init(start: 1.5, end: 3, text: "y"),
                    .init(start: 1, end: 1, text: "z"),
                ]
            )
        ]
        grid.points = [("marks", [(4, "m")])]
        let text = grid.text(duration: 2)
        #expect(
            text.contains("xmax = 4.0") && text.contains("name = \"a \"\"b\"\"\"")
                && text.contains("intervals: size = 4"))
        let found = text.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
        let starts = found.filter { $0.first == "xmin" }.compactMap { $0.last.flatMap { Double($0) } }
        #expect(starts == [0, 0, 0, 1, 2, 3, 0])
        #expect(!text.contains("\"z\"") && text.contains("number = 4.0"))
    }

    // MARK: - The readout

    private func event(_ event: V1.LiveEvent.Event, captured: Int64 = 0) -> V1.LiveEvent {
        V1.LiveEvent(seq: 1, event: event, capturedUnixNs: captured)
    }

    private func state() -> ListenState {
        var state = ListenState([("encoder.blocks.2.mlp.1:17", "ae"), ("encoder.blocks.2.mlp.1:3", "日本語の長い名前")])
        let second: Int64 = 1_000_000_000
        state.take(event(.source(V1.LiveSource(state: .open, device: "USB \u{1B}[2J mic", sampleRate: 48000))), now: 0)
        state.take(
            event(.level(V1.LiveLevel(start: 0, end: 0.1, rmsDb: -20, peakDb: -6, voice: true)), captured: second),
            now: second + 12_000_000)
        let frames = (0..<100).map { UInt32($0) }
        let values = [
            V1.FeatureValues(values: frames.map { Float($0) }), V1.FeatureValues(values: frames.map { _ in 0.5 }),
        ]
        state.take(
            event(
                .readings(
                    V1.LiveReadings(
                        start: 0, end: 2, framesPerSecond: 50, frames: frames, settled: 60, features: values)),
                captured: second), now: second + 60_000_000)
        state.take(event(.segment(V1.LiveSegment(start: 0, end: 1, text: " what was said before"))), now: 0)
        state.take(
            event(
                .hypothesis(
                    V1.LiveHypothesis(start: 1, end: 2, text: " is sure and this may change", stable: " is sure"))),
            now: 0)
        return state
    }

    @Test("the readout fits any size of terminal, and obeys nothing that a device's name says")
    func sizes() {
        let state = state()
        for width in [20, 40, 80, 200] {
            for height in [6, 10, 24, 60] {
                let lines = ListenScreen(width: width, height: height, isStyled: false).lines(state, model: "tiny.en")
                #expect(lines.count == height)
                for line in lines {
                    #expect(PrintedText.width(line) <= width, "\(width) × \(height): \(line)")
                    #expect(!line.unicodeScalars.contains { $0.value < 0x20 })
                }
            }
        }
    }

    @Test("what may still change is marked, in faint letters or by a sign; what settled is not")
    func tentative() {
        let state = state()
        let plain = ListenScreen(width: 80, height: 24, isStyled: false).lines(state, model: "").joined(separator: "\n")
        #expect(plain.contains("what was said before is sure …and this may change"))
        #expect(!plain.contains("\u{1B}"))
        let styled = ListenScreen(width: 80, height: 24, isStyled: true).lines(state, model: "").joined(separator: "\n")
        #expect(styled.contains("sure \u{1B}[2mand\u{1B}[0m"))
        #expect(plain.contains("ae") && plain.contains("encoder.blocks.2.mlp.1:17"))
        #expect(plain.contains("level 12/12 ms") && plain.contains("features 60/60 ms"))
    }

    @Test("the level is a bar with the highest of late in it; another page has the other features")
    func pages() {
        let state = state()
        let screen = ListenScreen(width: 80, height: 24, isStyled: false)
        let level = screen.lines(state, model: "")[1]
        #expect(level.contains("█") && level.contains("▐") && level.contains("-20.0 dB  voice"))
        var small = ListenScreen(width: 80, height: 12, isStyled: false)
        var seen: Set<String> = []
        for page in 0..<4 {
            small.page = page
            for line in small.lines(state, model: "") where line.contains("mlp.1:17 ") { seen.insert("17") }
            for line in small.lines(state, model: "") where line.contains("mlp.1:3 ") { seen.insert("3") }
        }
        #expect(seen == ["17", "3"])
    }
}
