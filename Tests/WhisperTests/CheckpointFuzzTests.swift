import TensorFiles
import TestSupport
import Testing
import Whisper

/// Bytes changed at random, the same ones on every run.
private struct Mutator {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(state: seed) }

    /// `bytes` with one to four changes inside `range`.
    mutating func mutated(_ bytes: [UInt8], in range: Range<Int>) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) { change(&bytes, in: range) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8], in range: Range<Int>) {
        let range = range.clamped(to: bytes.indices)
        guard !range.isEmpty else { return }
        let at = Int.random(in: range, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0...2: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 3: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 4, 5: overwrite(&bytes, at, little(Self.words.randomElement(using: &random) ?? 0))
        case 6: overwrite(&bytes, at, little(Self.longs.randomElement(using: &random) ?? 0))
        case 7: bytes.remove(at: at)
        case 8: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
        default: copyPart(&bytes, range, to: at)
        }
    }

    private func overwrite(_ bytes: inout [UInt8], _ at: Int, _ new: [UInt8]) {
        let end = min(at + new.count, bytes.count)
        bytes.replaceSubrange(at..<end, with: new.prefix(end - at))
    }

    /// Repeats a short stretch elsewhere: text that belongs to another place.
    private mutating func copyPart(_ bytes: inout [UInt8], _ range: Range<Int>, to at: Int) {
        let from = Int.random(in: range, using: &random)
        let part = Array(bytes[from..<min(from + Int.random(in: 1...24, using: &random), range.upperBound)])
        overwrite(&bytes, at, part)
    }

    private static let words: [UInt32] = [
        0, 1, 2, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF,
    ]
    private static let longs: [UInt64] = [0, 1, 1 << 31, 1 << 32, 1 << 62, 1 << 63, .max, .max - 7, 1 << 40]
}

/// Steele, Lea and Flood 2014: small, and good enough to choose bytes.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Each loader reads 10,000 files with damaged headers. A crash ends the whole test run; what is checked beside that is
/// that every failure is a clear error. (A changed digit may well give another sound file, so some open.)
@Suite struct CheckpointFuzzTests {
    private static let rounds = 10_000

    /// Runs `body` with 10,000 mutations; it throws what ``Refusal`` is made of, or nothing.
    private func fuzz(_ whole: [UInt8], in range: Range<Int>, seed: UInt64, _ body: ([UInt8]) throws -> Void) {
        var mutator = Mutator(seed: seed)
        var refused = 0
        for round in 0..<Self.rounds {
            let bytes = mutator.mutated(whole, in: range)
            do {
                try body(bytes)
            } catch {
                guard let refusal = Refusal(error) else {
                    Issue.record("round \(round): \(error)")
                    continue
                }
                refused += 1
                if refusal.message.isEmpty { Issue.record("an empty message in round \(round)") }
            }
        }
        #expect(refused > Self.rounds / 4, "the mutations reach what the loader checks")
    }

    @Test("10,000 damaged safetensors headers crash nothing")
    func safetensors() {
        let whole = TinyFiles().safetensors(extra: "\"__metadata__\": {\"format\": \"pt\"}")
        let header = 8 + whole.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        fuzz(whole, in: 0..<header, seed: 1) {
            try loadAll(Checkpoint.open(files: TinyFiles().huggingFace(weights: $0)))
        }
    }

    @Test("10,000 damaged config.json crash nothing")
    func config() {
        let whole = Array(
            (TinyFiles().config.dropLast() + ", \"alignment_heads\": [[0, 1]], \"suppress_tokens\": [1, 2]}").utf8)
        let tiny = TinyFiles()
        let weights = FileBytes(name: "", copying: tiny.safetensors())
        fuzz(whole, in: whole.indices, seed: 2) {
            let files = ["config.json": FileBytes(name: "", copying: $0), "model.safetensors": weights]
            try loadAll(Checkpoint.open(files: MemoryFolder(name: "tiny", files)))
        }
    }

    @Test("10,000 damaged indexes of shards crash nothing")
    func index() {
        let tiny = TinyFiles()
        let map = tiny.tensors.map { "\"\(TinyFiles.huggingFaceName($0.name))\": \"model-1.safetensors\"" }
        let whole = Array("{\"weight_map\": {\(map.joined(separator: ", "))}}".utf8)
        let config = FileBytes(name: "", copying: tiny.config.utf8)
        let weights = FileBytes(name: "", copying: tiny.safetensors())
        fuzz(whole, in: whole.indices, seed: 7) {
            let files = [
                "config.json": config, "model-1.safetensors": weights,
                "model.safetensors.index.json": FileBytes(name: "", copying: $0),
            ]
            try loadAll(Checkpoint.open(files: MemoryFolder(name: "tiny", files)))
        }
    }

    @Test("10,000 damaged ggml headers crash nothing")
    func ggml() {
        let whole = TinyFiles().ggml(tokens: [[97], [98], [0xC3, 0xA9], []])
        fuzz(whole, in: 0..<700, seed: 3) { try load($0) }
    }

    @Test("10,000 damaged pickles crash nothing", arguments: [false, true])
    func pickle(ofParameters: Bool) {
        let tiny = TinyFiles()
        let whole = tiny.pickle(state: tiny.state { ofParameters ? Pickle.parameter($0) : $0 })
        let storages = tiny.storages
        fuzz(whole, in: 0..<whole.count, seed: 4) {
            var zip = storages
            zip.append(ZipEntry("tiny/data.pkl", $0))
            try load(zip.finished())
        }
    }

    @Test("10,000 damaged zip directories crash nothing")
    func zip() {
        let whole = TinyFiles().openAI()
        let directory = TinyFiles().tensors.count * 60
        fuzz(whole, in: (whole.count - directory)..<whole.count, seed: 5) { try load($0) }
    }

    @Test("10,000 damaged model.bin of CTranslate2 crash nothing", arguments: [CTranslate2Encoding.float16, .int8])
    func cTranslate2(encoding: CTranslate2Encoding) {
        let (file, _) = TinyFiles().cTranslate2(encoding)
        // Names and sizes are all over the file, between elements that are few.
        let whole = file.bytes
        fuzz(whole, in: whole.indices, seed: 6) { try load($0) }
    }
}
