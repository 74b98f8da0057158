import Foundation
import TestSupport
import Testing
import Whisper

@testable import Bench

/// The worker's answers, without a process around it.
struct WorkerTests {
    private let folder: TemporaryFolder
    private let worker: Worker

    /// Two blocks, 16 wide; 20 frames of 8 bands.
    init() throws {
        folder = try TemporaryFolder()
        let dimensions = ModelDimensions(
            nMels: 8, nAudioCtx: 10, nAudioState: 16, nAudioHead: 2, nAudioLayer: 2, nVocab: 51865, nTextCtx: 12,
            nTextState: 16, nTextHead: 2, nTextLayer: 1)
        try RandomCheckpoint(dimensions).write(to: folder.path + "/model")
        try FloatFile.write((0..<8 * 20).map { Float($0 % 7) / 7 }, to: folder.path + "/mel.f32")
        try FloatFile.write((0..<16_000).map { sinf(Float($0) / 10) }, to: folder.path + "/sound.f32")
        worker = Worker(model: folder.path + "/model")
    }

    private func encoding(_ capture: Work.Capture = .none) -> Work {
        var work = Work(.encode)
        (work.mel, work.frames, work.capture) = (folder.path + "/mel.f32", 20, capture)
        return work
    }

    @Test("The encoder gives the same with captures and without", arguments: [Work.Capture.residual, .patterns])
    func encode(capture: Work.Capture) throws {
        let plain = try worker.answer(encoding()), captured = try worker.answer(encoding(capture))
        #expect(plain.probe?.count == 16)
        #expect(plain.probe == captured.probe)
        #expect((plain.seconds ?? 0) > 0)
    }

    @Test("A gradient at every pattern, the same each time, and the memory that it took")
    func gradient() throws {
        var work = encoding()
        work.run = .gradient
        let first = try worker.answer(work), again = try worker.answer(work)
        #expect(first.probe?.count == 16 && first.probe == again.probe)
        #expect(first.probe?.contains { $0 != 0 } == true)
        #expect(first.bytes != nil && (first.seconds ?? 0) > 0)
    }

    @Test("Greedy tokens are ordinary ones, as many as were asked for, and the first is the same alone")
    func greedy() throws {
        var work = encoding()
        work.run = .greedy
        (work.prompt, work.count, work.sizes) = ([50258, 50259, 50359, 50363], 6, [50257])
        let tokens = try worker.answer(work).tokens ?? []
        #expect(tokens.count == 6 && tokens.allSatisfy { $0 < 50257 })
        work.count = 1
        #expect(try worker.answer(work).tokens == Array(tokens.prefix(1)))
    }

    @Test("A dictionary's training goes on from round to round, and sizes that cannot be are an error")
    func dictionary() throws {
        try FloatFile.write((0..<64 * 6).map { sinf(Float($0 * $0 % 97)) }, to: folder.path + "/activations.f32")
        var work = Work(.dictionary)
        (work.samples, work.variant) = (folder.path + "/activations.f32", "topk")
        (work.count, work.sizes) = (8, [6, 24, 16, 3])
        #expect(try worker.answer(work).text?.contains("L0 3.0") == true)
        #expect((try worker.answer(work).seconds ?? 0) > 0)
        #expect(worker.training?.steps == 16)
        work.variant = "l1"
        work.sizes = [6, 24, 16, 25]
        #expect(throws: BenchError.self) { try worker.answer(work) }
        work.variant = "dense"
        #expect(throws: BenchError.self) { try worker.answer(work) }
    }

    @Test("Prompts side by side, and the log-mel of samples")
    func others() throws {
        var work = encoding()
        work.run = .prompts
        (work.prompt, work.count) = ([50258], 3)
        #expect(try worker.answer(work).probe?.count == 16)
        var mel = Work(.mel)
        (mel.samples, mel.bands) = (folder.path + "/sound.f32", 80)
        #expect(try worker.answer(mel).probe?.count == 16)
    }

    @Test(
        "Every kernel runs",
        arguments: [
            ("product", [3, 5, 7]), ("product_rows", [3, 5, 7]), ("packed", [3, 5, 7]), ("packed", [1, 40, 16]),
            ("gelu", [2, 9]), ("softmax", [2, 9]), ("layer_norm", [2, 9]),
        ])
    func kernels(name: String, sizes: [Int]) throws {
        var work = Work(.kernel)
        (work.kernel, work.sizes) = (name, sizes)
        #expect((try worker.answer(work).seconds ?? 0) > 0)
    }

    @Test(
        "A kernel that there is not, and sizes that make no sense, are refused",
        arguments: [("fft", [2, 2]), ("gelu", [2]), ("gelu", [0, 2]), ("product", [1 << 20, 1 << 20, 1 << 20])])
    func refused(name: String, sizes: [Int]) {
        var work = Work(.kernel)
        (work.kernel, work.sizes) = (name, sizes)
        #expect(throws: BenchError.self) { try worker.answer(work) }
    }

    @Test("Work that lacks what it needs, or names a file that is not there, is told")
    func incomplete() {
        #expect { try worker.answer(Work(.encode)) } throws: { "\($0)" == "the work lacks 'mel'" }
        var work = encoding()
        work.mel = "/nowhere/mel.f32"
        #expect { try worker.answer(work) } throws: { "\($0)".contains("/nowhere/mel.f32") }
        work = encoding()
        work.frames = 7
        #expect { try worker.answer(work) } throws: { "\($0)".contains("rows of 7") }
        #expect { try Worker(model: nil).answer(encoding()) } throws: { "\($0)" == "no model is named" }
    }
}
