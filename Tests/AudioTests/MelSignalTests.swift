@testable import Mel
import TestSupport
import Testing

@Suite("A signal as frames see it")
struct MelSignalTests {
    @Test(
        "runs cover all frames once, in order, and are what they say",
        arguments: [0, 1, 39, 40, 199, 200, 201, 360, 519, 520, 521, 1000, 4001], [0, 1, 160, 200, 361, 400, 5000])
    func runs(content: Int, silence: Int) {
        let samples = (0..<content).map { Float($0 + 1) }
        samples.withUnsafeBufferPointer { samples in
            let signal = MelSignal(samples, length: content + silence)
            let all = 0..<signal.length / 160
            for frames in [all, 1..<max(1, all.count), 0..<min(3, all.count), all.count / 2..<all.count / 2] {
                let runs = signal.runs(of: frames)
                #expect(runs.flatMap { Array($0.frames) } == Array(frames))
                for run in runs {
                    #expect(!run.frames.isEmpty)
                    let reached = signal.samples(of: run.frames)
                    #expect(reached.count == (run.frames.count - 1) * 160 + 400)
                    let first = run.frames.lowerBound * 160 - 200
                    switch run.kind {
                    case .whole: #expect(reached == Array(samples[first..<first + reached.count]))
                    case .silent: #expect(reached.allSatisfy { $0 == 0 })
                    case .edge: break
                    }
                }
            }
        }
    }
}
