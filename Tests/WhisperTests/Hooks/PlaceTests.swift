import Kernels
import TestSupport
import Testing
import Whisper

/// Neurons, limits, words and what is refused of them.
@Suite("Places and limits of interventions") struct PlaceTests {
    let model: WhisperModel
    let dimensions = SyntheticModel.dimensions

    init() throws { model = try SyntheticModel.make() }

    private func run(_ interventions: [String], _ hook: String, validFrames: Int? = nil) throws -> Tensor {
        let captured = try model.captured([hook], validFrames: validFrames, interventions: interventions)
        return try #require(captured[hook]).tensor
    }

    private func point(_ name: String) throws -> HookPoint {
        try #require(HookPoint.matching(name, in: dimensions).first)
    }

    @Test(
        "single columns are changed at any hook point, in the chosen frames and heads alone",
        arguments: [
            ("encoder.blocks.1.mlp.1", "@neurons 5,7 @frames 10:20", [5, 7], 10..<20, nil as [Int]?),
            ("encoder.blocks.0.attn.z", "@neurons 3 @heads 1", [3], 0..<150, [1]),
            ("encoder.blocks.1.attn.pattern", "@neurons 0-2 @heads 0,2", [0, 1, 2], 0..<150, [0, 2]),
            ("encoder.ln_post", "@neurons 23", [23], 0..<150, nil),
            ("decoder.logits", "@neurons 60 @tokens 2:3", [60], 2..<3, nil),
        ] as [(String, String, [Int], Range<Int>, [Int]?)])
    func columns(hook: String, place: String, columns: [Int], rows: Range<Int>, heads: [Int]?) throws {
        let clean = try run([], hook), changed = try run(["\(hook) \(place) = scale 3"], hook)
        let (shape, a, b) = (clean.shape, clean.elements, changed.elements)
        // [positions, width], [positions, heads, width], or [heads, positions, keys].
        let headsFirst = hook.hasSuffix("pattern")
        var wrong = 0
        for at in a.indices {
            let width = shape[shape.count - 1], column = at % width
            let outer = at / width, inner = shape.count == 3 ? shape[1] : 1
            let row = headsFirst ? outer % inner : outer / inner, head = headsFirst ? outer / inner : outer % inner
            let isChosen = columns.contains(column) && rows.contains(row) && heads?.contains(head) ?? true
            if b[at] != (isChosen ? 3 * a[at] : a[at]) { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test("values are held between limits, or at a value")
    func clamp() throws {
        let hook = "encoder.blocks.1.mlp_ln", clean = try run([], hook)
        #expect(
            try run(["\(hook) = clamp -0.5:0.25"], hook).elements == clean.elements.map { min(max($0, -0.5), 0.25) })
        #expect(try run(["\(hook) = clamp :0.25"], hook).elements == clean.elements.map { min($0, 0.25) })
        let one = try run(["\(hook) @neurons 4 = clamp 2.5"], hook)
        #expect((0..<150).allSatisfy { one[$0, 4] == 2.5 && one[$0, 5] == clean[$0, 5] })
    }

    @Test("a quantile is that of a column's valid positions, between two of them as NumPy has it")
    func quantile() throws {
        let hook = "encoder.blocks.1.mlp.1", clean = try run([], hook, validFrames: 40)
        let clamped = try run(["\(hook) = clamp q0.25:q0.9"], hook, validFrames: 40)
        for column in [0, 17, 95] {
            let sorted = (0..<40).map { Double(clean[$0, column]) }.sorted()
            func quantile(_ q: Double) -> Double {
                let at = q * 39, below = Int(at)
                return sorted[below] + (at - Double(below)) * (sorted[min(below + 1, 39)] - sorted[below])
            }
            for frame in 0..<40 {
                let expected = min(max(Double(clean[frame, column]), quantile(0.25)), quantile(0.9))
                #expect(abs(Double(clamped[frame, column]) - expected) < 1e-6)
            }
        }
        #expect(QuantilePlace(0.5, of: [3, 1, 2]).value([3, 1, 2]) == 2)
        #expect(QuantilePlace(1, of: [7]).value([7]) == 7)
    }

    @Test(
        "what changes nothing leaves every bit as it was",
        arguments: [
            "encoder.** = scale 1", "encoder.blocks.* = noise 0", "encoder.blocks.*.mlp.1 = clamp -1e30:1e30",
            "encoder.blocks.*.mlp.1 = clamp q0:q1", "encoder.blocks.*.attn window 149",
            "encoder.blocks.*.attn window 5000",
            "encoder.blocks.0.attn.z @heads 1 @to encoder.blocks.*.mlp.0 = scale 1", "decoder.** = scale 1",
            "encoder.blocks.1.mlp.1 @neurons 3 @to encoder.blocks.2.attn.{q,k,v}:0 = noise 0",
            "decoder.blocks.0.cross_attn.z @heads 1 @to decoder.blocks.1.cross_attn.q = scale 1",
        ])
    func identity(text: String) throws {
        func all(_ interventions: [String]) throws -> [String: [Float]] {
            try model.captured(["**"], interventions: interventions).mapValues(\.tensor.elements)
        }
        let clean = try all([]), changed = try all([text])
        for (name, elements) in clean {
            // Scores are laid out where they are changed; an edge changes no hook point's name.
            #expect(changed[name]?.map(\.bitPattern) == elements.map(\.bitPattern), "\(name)")
        }
    }

    @Test("words are found by number and by what they say, and those that are there are told")
    func words() throws {
        let said = [" And", " so,", " my", " fellow-Americans", " ask", " not", " what", " ask"].enumerated()
            .map { HeardWord(text: $1, melFrames: $0 * 30..<$0 * 30 + 20) }
        func named(_ name: WordName) throws -> [String] {
            try said.named(name) { WhisperError(.invalidArgument, $0) }.map(\.text)
        }
        #expect(try named(.numbers(2...3)) == [" so,", " my"])
        #expect(try named(.said("So My")) == [" so,", " my"])
        #expect(try named(.said("fellow Americans")) == [" fellow-Americans"])
        for (name, words) in [
            (WordName.numbers(9...9), ["no word 9", "1 And", "8 ask"]),
            (.said("rug"), ["\"rug\" was not heard", "2 so,"]),
            (.said("ask"), ["2 times", "5, 8"]),
        ] as [(WordName, [String])] {
            let error = #expect(throws: WhisperError.self) { try named(name) }
            for word in words { #expect(error?.message.contains(word) == true, "\(error?.message ?? "")") }
        }
    }

    @Test("a word becomes the frames of its window, tokens where they are known, and nothing in other windows")
    func windows() throws {
        let words = [HeardWord(text: "hot", melFrames: 310..<353, window: 300, tokens: 7..<9)]
        let spoken = try Intervention(
            targets: Set(HookPoint.matching("**", in: dimensions)), positions: nil, words: words, heads: nil,
            columns: nil,
            receivers: nil, operation: .zero, dimensions: dimensions)
        let mel = SyntheticModel.mel()
        let here = try #require(try [spoken].within(start: 300, mel: mel).first)
        #expect(try here.positions(at: point("encoder.ln_post")) == 5..<27)
        #expect(try here.positions(at: point("encoder.conv1")) == 10..<53)
        #expect(try here.positions(at: point("decoder.logits")) == 7..<9)
        #expect(try [spoken].within(start: 0, mel: mel).isEmpty && [spoken].within(start: nil, mel: mel).isEmpty)
        #expect(throws: WhisperError.self) { try HookRun(HookPlan(interventions: [spoken]), dimensions: dimensions) }
        // Where the transcript's passes are others, tokens are not known.
        #expect(throws: WhisperError.self) {
            try Intervention(
                targets: [point("decoder.logits")], positions: nil,
                words: [HeardWord(text: "a", melFrames: 0..<5)],
                heads: nil, columns: nil, receivers: nil, operation: .zero, dimensions: dimensions)
        }
    }

    @Test(
        "what cannot act is refused with the reason",
        arguments: [
            ("encoder.blocks.1.mlp.1 @neurons 96 = zero", "neurons 0 to 95"),
            ("encoder.ln_post @neurons 24 = zero", "no state 24"),
            ("encoder.ln_post @frames 150: = zero", "0 to 149"), ("encoder.ln_post @frames 100:151 = zero", "100:151"),
            ("decoder.ln @tokens 40:41 = zero", "0 to 39"), ("encoder.ln_post @frames 3s:4s = zero", "beyond"),
            ("encoder.blocks.1.mlp.1 @neurons 3,3 = zero", "named twice"),
            ("encoder.blocks.1.mlp.1 @neurons 7-5 = zero", "neurons"),
            ("encoder.blocks.1.attn @neurons 3 window 5", "whole rows"), ("encoder.ln_post = clamp 2:1", "above"),
            ("encoder.ln_post = clamp q0.9:q0.1", "above"), ("encoder.ln_post = clamp q2", "outside 0 to 1"),
            ("encoder.ln_post = clamp :", "limits"), ("encoder.ln_post = clamp nan", "limits"),
            ("encoder.ln_post = clamp 0:1 over demo:", "measures nothing"),
            ("encoder.ln_post @frames 0:5 @word 3 = zero", "second time"),
            ("encoder.ln_post @word 0 = zero", "from 1"), ("encoder.ln_post @word \"?!\" = zero", "no word in"),
            ("encoder.ln_post @ word = zero", "double quotes"), ("encoder.ln_post @word 3 = zero", "no words to name"),
            ("encoder.ln_post = mean over demo:", "listened"), ("encoder.ln_post = resample demo:", "listened"),
            ("encoder.ln_post = patch demo:en-slt-01", "listened"),
            ("decoder.logits = patch x.wav @frames 0:5", "listened"),
        ])
    func refused(text: String, word: String) {
        let message = Refusal.of { _ = try Intervention(parsing: text, dimensions: dimensions) }
        #expect(message.map { "\($0)" }?.contains(word) == true, "\(message.map { "\($0)" } ?? "nothing")")
    }

    @Test("tensors that fit nowhere, and NaN in them, are refused before a pass")
    func tensors() throws {
        for (tensor, word) in [
            (Tensor(shape: [7]), "does not fit"),
            (Tensor(shape: [24], [Float](repeating: .nan, count: 24)), "element 0"),
        ] {
            let error = #expect(throws: WhisperError.self) {
                try Intervention(parsing: "encoder.ln_post = set f", dimensions: dimensions) { _, _ in tensor }
            }
            #expect(error?.message.contains(word) == true)
        }
    }

    @Test("changes that contradict each other are refused, and those that do not are not")
    func contradictions() throws {
        func check(_ texts: [String]) throws {
            try Intervention.check(together: texts.map { try Intervention(parsing: $0, dimensions: dimensions) })
        }
        for texts in [
            ["encoder.blocks.1 = scale 2", "encoder.blocks.* = zero"],
            ["encoder.blocks.1 @frames 3:5 = noise 1", "encoder.blocks.1 @frames 0:9 = clamp 1"],
            ["encoder.blocks.1.attn_ln = scale 2", "encoder.blocks.0.mlp @to encoder.blocks.1.attn.q = zero"],
        ] {
            #expect(throws: WhisperError.self) { try check(texts) }
        }
        try check(["encoder.blocks.1 @frames 0:9 = noise 1", "encoder.blocks.1 @frames 3:5 = zero"])
        try check(["encoder.blocks.1.mlp.1 = zero", "encoder.blocks.1.mlp.1 @neurons 3 = zero"])
        try check(["encoder.blocks.1 = zero", "encoder.blocks.1 = noise 1"])
    }
}
