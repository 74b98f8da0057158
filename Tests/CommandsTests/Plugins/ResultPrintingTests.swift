import Foundation
import Messages
import Results
import Synchronization
import Testing

@testable import Commands

@Suite("Results shown as they come", .timeLimit(.minutes(1))) struct ResultPrintingTests {
    private struct Unwritable: Error {}

    private let outputs = ["t": V1.PluginOutput(id: "t", title: "Words", kind: .text)]

    private func result(_ text: String) -> V1.PluginResult {
        V1.PluginResult(outputId: "t", file: "a.wav", value: .text(text))
    }

    @Test("whoever brings results does not wait for a reader that stands still, who then gets all of them in order")
    func slowReader() async throws {
        let shown = Mutex("")
        let reader = DispatchSemaphore(value: 0)
        let printing = try ResultPrinting(ResultsText(TerminalStyle(width: 80, colours: .none))) { text in
            reader.wait()
            shown.withLock { $0 += text }
        }
        for number in 0..<5 { try printing.add(result("number \(number)"), outputs: outputs) }
        #expect(shown.withLock { $0 }.isEmpty)
        // Two texts a block: its heading, and its lines.
        for _ in 0..<10 { reader.signal() }
        let blocks = try await printing.finish()
        #expect(!blocks.hasBroken)
        let numbers = shown.withLock { $0 }.split(separator: "\n").filter { $0.hasPrefix("number") }
        #expect(numbers == (0..<5).map { "number \($0)" })
    }

    @Test("that nothing can be written is told to whoever brings results, or waits for the end")
    func unwritable() async throws {
        let printing = try ResultPrinting(ResultsText(TerminalStyle(width: 80, colours: .none))) { _ in
            throw Unwritable()
        }
        try printing.add(result("one"), outputs: outputs)
        await #expect(throws: Unwritable.self) { try await printing.finish() }
        #expect(throws: Unwritable.self) { try printing.add(result("two"), outputs: outputs) }
    }

    @Test("a result that is not as declared is told at the end, and the others are shown")
    func broken() async throws {
        let shown = Mutex("")
        let printing = try ResultPrinting(ResultsText(TerminalStyle(width: 80, colours: .none))) { text in
            shown.withLock { $0 += text }
        }
        try printing.add(V1.PluginResult(outputId: "other", value: .scalar(1)), outputs: outputs)
        try printing.add(result("here"), outputs: outputs)
        let blocks = try await printing.finish()
        #expect(blocks.hasBroken && shown.withLock { $0 }.contains("here"))
    }
}
