import Daemon
import Foundation
import Testing

@Suite("Released models") struct ReleasedModelTests {
    @Test(
        "every release has a digest that its address repeats, a vocabulary, and alignment heads",
        arguments: ReleasedModel.all.map(\.name))
    func complete(name: String) throws {
        let model = try #require(ReleasedModel.named(name))
        #expect(model.weights.sha256.count == 64)
        #expect(model.weights.url.contains("/\(model.weights.sha256)/\(name).pt"))
        #expect(try model.weights.address(environment: [:]).scheme == "https")
        #expect(model.vocabulary.name == (name.hasSuffix(".en") ? "gpt2.tiktoken" : "multilingual.tiktoken"))
        #expect(!model.alignmentHeads.isEmpty)
        #expect(model.alignmentHeads.allSatisfy { $0.count == 2 })
    }

    @Test("the short names of openai/whisper are aliases")
    func aliases() {
        #expect(ReleasedModel.named("turbo")?.name == "large-v3-turbo")
        #expect(ReleasedModel.named("large")?.name == "large-v3")
        #expect(ReleasedModel.named("huge") == nil)
    }

    @Test("a mirror replaces the address and keeps the digest in it")
    func mirror() throws {
        let file = try #require(ReleasedModel.named("tiny")).weights
        let address = try file.address(environment: ["AUSCULT_MIRROR": "http://127.0.0.1:8000/m/"])
        #expect(address.absoluteString == "http://127.0.0.1:8000/m/\(file.sha256)/tiny.pt")
        #expect(throws: ServiceError.self) { try file.address(environment: ["AUSCULT_MIRROR": "file:///etc"]) }
        #expect(throws: ServiceError.self) { try file.address(environment: ["AUSCULT_MIRROR": "nonsense"]) }
    }
}
