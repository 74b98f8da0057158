@testable import Atlas
import Foundation
import TestSupport
import Testing

@Suite("What is asked of an atlas") struct QueryTests {
    let folder: TemporaryFolder
    let store: AtlasStore
    static let hook = "encoder.blocks.2.mlp.1"

    init() throws {
        folder = try TemporaryFolder()
        let writing = try AtlasStore(path: folder("a.atlas"), mode: .write)
        try TestTables(hooks: ["encoder.blocks.10.mlp.1", Self.hook]).write(writing)
        store = try AtlasStore(path: folder("a.atlas"), mode: .read)
    }

    private func numbers(_ change: (inout AtlasQuery) -> Void) throws -> [Int] {
        var query = AtlasQuery()
        query.hook = Self.hook
        change(&query)
        return try store.features(query).rows.map(\.feature.number)
    }

    @Test("features are sorted by each criterion, either way, those without a value last")
    func sorting() throws {
        #expect(try numbers { $0.sort = .number } == [0, 1, 2, 3])
        #expect(
            try numbers {
                $0.sort = .number; $0.ascending = false
            } == [3, 2, 1, 0])
        #expect(try numbers { $0.sort = .density } == [0, 1, 2, 3])
        #expect(try numbers { $0.sort = .maximum } == [2, 1, 0, 3])
        #expect(try numbers { $0.sort = .precision } == [0, 1, 2, 3])
        #expect(
            try numbers {
                $0.sort = .precision; $0.ascending = true
            } == [2, 1, 0, 3])
        #expect(try numbers { $0.sort = .selectivity } == [2, 1, 0, 3])
        #expect(try numbers { $0.sort = .lift } == [0, 1, 2, 3])
        #expect(try numbers { $0.sort = .ap } == [0, 1, 2, 3])
        #expect(
            try numbers {
                $0.sort = .precisionAtRecall; $0.ascending = true
            } == [2, 1, 0, 3])
        #expect(
            try numbers {
                $0.sort = .lift; $0.ascending = true
            } == [2, 1, 0, 3])
    }

    @Test("a label keeps the features that have it, and is the one that they are listed with")
    func labels() throws {
        var query = AtlasQuery()
        query.label = "ah"
        let page = try store.features(query)
        #expect(page.rows.map(\.feature.number) == [1, 1] && page.total == 2)
        #expect(page.rows.allSatisfy { $0.label?.label == "ah" && $0.label?.precision == 0.8 })
        query.label = "set"
        #expect(try store.features(query).rows.map(\.label?.label) == Array(repeating: "set", count: 6))
        query.label = nil
        query.kind = "word"
        #expect(try store.features(query).rows.compactMap(\.label?.kind) == Array(repeating: "word", count: 6))
        #expect(try store.features(query).total == 8)
        #expect(try store.labels().first == AtlasLabelCount(kind: "word", label: "set", features: 6))
    }

    @Test(
        "a label is found in other letters and in another alphabet, and where there is none it is said which there are")
    func labelNames() throws {
        for name in ["S", "s"] { #expect(try numbers { $0.label = name } == [0]) }
        for name in ["AH", "ʌ", "ə", "ax", "AH0"] { #expect(try numbers { $0.label = name } == [1], "\(name)") }
        #expect(try numbers { $0.label = "SET" } == [0, 1, 2])
        var query = AtlasQuery()
        query.label = "zh"
        #expect {
            try store.features(query)
        } throws: { error in
            let message = "\(error)"
            return message.contains("'zh'") && message.contains("set (word, 6)") && message.contains("s (phoneme, 2)")
        }
        #expect(LabelNames.meant(by: "s", among: ["S", "s", "SH"]) == ["s"])
        #expect(LabelNames.meant(by: "er", among: ["ER0", "ER1", "EH"]) == ["ER0", "ER1"])
        #expect(LabelNames.meant(by: "", among: ["S"]) == [])
    }

    @Test("what a feature's strongest moments answer to is what was heard the label's lag before")
    func lag() throws {
        let card = try store.card(hook: Self.hook, number: 0)
        let example = try #require(card.examples.first)
        #expect(example.lag == -2 && card.labels.first?.lag == -2)
        let seconds = try #require(example.example.seconds)
        let there = example.sounds.first {
            $0.kind == "phoneme" && $0.start <= seconds + 0.04 && seconds + 0.04 < $0.end
        }
        #expect(example.heard == there?.label && example.heard == "ah" && example.heard(lag: 20) == "s")
        #expect(
            example.heard(lag: 0)
                == example.sounds.first { $0.kind == "phoneme" && $0.start <= seconds && seconds < $0.end }?.label)
    }

    @Test("a lift keeps the features that have a label with it, and lists them with the best of those")
    func lifts() throws {
        // Of the phonemes 9, 8 and 7; of the words 1.25, 1 and 0.75.
        #expect(try numbers { $0.lift = 7.5 } == [0, 1])
        #expect(try numbers { $0.lift = 0 } == [0, 1, 2])
        #expect(try numbers { $0.lift = 100 } == [])
        var query = AtlasQuery()
        query.lift = 0.9
        query.kind = "word"
        let page = try store.features(query)
        #expect(page.total == 4 && page.rows.map(\.feature.number) == [0, 1, 0, 1])
        #expect(page.rows.map(\.label?.label) == Array(repeating: "set", count: 4))
        #expect(page.rows[0].label?.base == 0.4 && page.rows[0].label?.lift == 0.5 / 0.4)
        query.kind = nil
        query.label = "ah"
        #expect(try store.features(query).rows.map(\.label?.lift) == [0.8 / 0.1, 0.8 / 0.1])
        query.lift = 8.5
        #expect(try store.features(query).total == 0)
    }

    @Test("words of a search are names, hook points, labels and numbers, and all of them count; % and _ are themselves")
    func searching() throws {
        func found(_ search: String) throws -> [String] {
            var query = AtlasQuery()
            query.search = search
            return try store.features(query).rows.map {
                "\($0.feature.hook.contains("10") ? 10 : 2):\($0.feature.number)"
            }
        }
        #expect(try found("blocks.10 #2") == ["10:2"])
        #expect(try found("ah blocks.2.") == ["2:1"])
        #expect(try found("0%_dir") == ["10:1", "2:1"])
        #expect(try found("100%%") == [])
        #expect(try found("'; DROP TABLE features; --") == [])
        #expect(try found("nothing") == [])
        #expect(try found("").count == 8)
    }

    @Test("pages have all features once, and say how many there are; there is no page before the first")
    func pages() throws {
        var query = AtlasQuery()
        query.sort = .density
        query.pageSize = 3
        var seen: [Int64] = []
        for page in 0..<4 {
            query.page = page
            let found = try store.features(query)
            #expect(found.total == 8 && found.rows.count == [3, 3, 2, 0][page])
            seen += found.rows.map(\.feature.id)
        }
        #expect(Set(seen).count == 8)
        for (page, size) in [(-1, 3), (0, 0), (Int.max, 3), (0, 20_000)] {
            query.page = page
            query.pageSize = size
            #expect { try store.features(query) } throws: { ($0 as? AtlasError)?.code == .invalidArgument }
        }
    }

    @Test("a card has the statistics, labels, columns, histogram, examples with their curves and sounds, and bins")
    func card() throws {
        let card = try store.card(hook: Self.hook, number: 1)
        #expect(card.feature.name == "100%_direction" && card.feature.maximum == 2 && card.feature.density == 1.0 / 3)
        #expect(card.labels.map(\.label) == ["ah", "set"] && card.labels[0].lag == -2)
        #expect(card.labels[0].namedPrecision == nil)
        #expect(card.columns.map(\.value) == ["lucas"])
        #expect(
            card.histogram == [
                AtlasHistogramCell(side: "+", low: 0, high: 0.5, count: 80),
                AtlasHistogramCell(side: "+", low: 0.5, high: 1, count: 20),
            ])
        let example = try #require(card.examples.first)
        #expect(example.example.rank == 1 && example.example.value == 2 && example.example.curveFirst == 20)
        #expect(example.activation == (0..<10).map { Float($0) / 4 })
        #expect(example.recording.path == "/sound/0.wav" && example.recording.end == 3)
        #expect(example.recording.labels == ["kind": "speech"] && example.recording.split == "name")
        // The curve lasts from 0.4 s to 0.6 s; "s" ends at 0.2 s.
        #expect(example.sounds.map(\.label) == ["set", "ah"])
        #expect(card.bins.map(\.bin.bin) == [0, 1])
        #expect(card.bins[1].bin.sounds == ["s": 7, "ah": 3])
        #expect(card.bins[1].examples.map(\.example.value) == [1.5, 1])
        #expect(card.bins[0].examples.map(\.heard) == [["s"], ["s"]])
        #expect(card.bins[1].examples.map(\.heard) == [["ah"], ["ah"]])
        #expect(try store.compare(card.feature.id, card.feature.id) == [card, card])
    }

    @Test("a recording has its sounds in their order and the features that have it among their examples")
    func recording() throws {
        let scan = try #require(try store.scans().first)
        let recordings = try store.recordings(scan: scan.scan.id)
        #expect(recordings.map(\.number) == [0, 1, 2] && recordings[2].speaker == nil)
        let detail = try store.recording(recordings[1].id)
        #expect(detail.sounds.map(\.label) == ["s", "set", "ah"])
        #expect(detail.features.count == 6 && detail.features.allSatisfy { $0.rank == 2 })
    }

    @Test("a scan is listed with its model, its hook points in the model's order, and what is selective")
    func scans() throws {
        let scan = try #require(try store.scans().first)
        #expect(scan.scan.status == .complete && scan.scan.seed == "18446744073709551615" && scan.scan.finished != nil)
        #expect(scan.scan.arguments == ["k": "2"] && scan.model.dimensions == ["n_audio_state": 64])
        #expect(scan.hooks.map(\.hook) == [Self.hook, "encoder.blocks.10.mlp.1"] && scan.hooks[0].features == 4)
        #expect(scan.selective.map(\.selective) == [2, 2])
        #expect(scan.selective[0].criterion == ["precision": 0.8, "auc": 0.9])
        #expect(try store.hooks() == scan.hooks)
    }

    @Test("what is not there is said, with what there is")
    func missing() throws {
        func message(_ body: () throws -> Any) -> String {
            do { _ = try body() } catch let error as AtlasError where error.code == .notFound {
                return error.message
            } catch { return "another error: \(error)" }
            return "no error"
        }
        #expect(message { try store.card(hook: Self.hook, number: 9) }.contains("4 features of \(Self.hook)"))
        #expect(message { try store.card(hook: "x", number: 0) }.contains("encoder.blocks.10.mlp.1, \(Self.hook)"))
        #expect(message { try store.card(feature: 999) }.contains("999"))
        #expect(message { try store.recording(999) }.contains("999"))
        #expect(message { try store.scan(999) }.contains("999"))
    }
}
