import Dictionaries
import Kernels
import TestSupport
import Testing
import Whisper

@Suite("Dictionaries in interventions")
struct DictionaryInterventionTests {
    let model: WhisperModel
    let folder: TemporaryFolder
    private let hook = "encoder.blocks.1"
    private let width = 24

    init() throws {
        model = try SyntheticModel.make()
        folder = try TemporaryFolder()
    }

    /// Positive and negative part of every value, so that nothing is lost: latent i is value i, i + width is less it.
    private func write(_ name: String, inputs: Int) throws -> String {
        var rows = [Float](repeating: 0, count: 2 * inputs * inputs)
        for i in 0..<inputs {
            rows[i * inputs + i] = 1
            rows[(inputs + i) * inputs + i] = -1
        }
        let tensor = Tensor(shape: [2 * inputs, inputs], rows)
        let dictionary = try SparseDictionary(
            encoder: tensor, decoder: tensor, encoderBias: [Float](repeating: 0, count: 2 * inputs),
            decoderBias: (0..<inputs).map { Float($0) / 10 }, activation: .relu, hook: hook)
        try dictionary.write(to: folder(name))
        return folder(name)
    }

    private func run(_ interventions: [String], _ at: String) throws -> Tensor {
        try #require(try model.captured([at], interventions: interventions)[at]).tensor
    }

    @Test("a dictionary that loses nothing changes nothing when it is spliced in")
    func identity() throws {
        let path = try write("a dictionary", inputs: width)
        for at in [hook, "encoder.ln_post", "decoder.logits"] {
            let spliced = try run(["\(hook) splice \"\(path)\""], at)
            #expect(largestDifference(spliced.elements, try run([], at).elements) < 1e-5)
        }
    }

    @Test("a latent that is set, scaled or silenced changes its direction, in the chosen frames alone")
    func latent() throws {
        let path = try write("d", inputs: width)
        let clean = try run([], hook)
        let z = { (row: Int) in max(clean[row, 5] - 0.5, 0) }
        for (text, expected) in [
            ("set 7", { _ in Float(7) }), ("zero", { _ in Float(0) }), ("scale 3", { 3 * z($0) }),
        ] as [(String, (Int) -> Float)] {
            let changed = try run(["\(hook) @frames 3:90 = latent \(path) 5 \(text)"], hook)
            for row in [0, 2, 3, 50, 89, 90, 149] {
                let inside = (3..<90).contains(row)
                let value = clean[row, 5] + (inside ? expected(row) - z(row) : 0)
                #expect(abs(changed[row, 5] - value) < 1e-5, "\(text) in row \(row)")
                #expect(changed[row, 4] == clean[row, 4])
            }
        }
        let other = try run(["\(hook) latent \(path) 5 = set 7"], "encoder.ln_post")
        #expect(other.elements != (try run([], "encoder.ln_post")).elements, "what comes after notices")
        // The text form with its sign of equality is the same.
        #expect(
            try run(["\(hook) latent \(path) 5 = set 7"], hook).elements
                == run(["\(hook) = latent \(path) 5 set 7"], hook).elements)
    }

    @Test("what makes no sense is refused: latents, widths, places, words")
    func refused() throws {
        let path = try write("d", inputs: width), narrow = try write("narrow", inputs: 7)
        for text in [
            "\(hook) latent \(path) 48 = zero", "\(hook) latent \(path) -1 = zero", "\(hook) latent \(path) 5 = mean",
            "\(hook) latent \(path) 5", "\(hook) splice", "\(hook) splice \(path) 3",
            "encoder.blocks.1.attn.pattern splice \(path)", "encoder.blocks.1.attn.z @heads 0 splice \(path)",
            "\(hook) splice \(narrow)",
        ] {
            #expect(throws: WhisperError.self, "\(text)") { try run([text], hook) }
        }
        #expect(throws: DictionaryError.self) { try run(["\(hook) splice \(folder("none"))"], hook) }
    }
}
