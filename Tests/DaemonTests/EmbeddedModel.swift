import Audio
@testable import Daemon
import Foundation
import Kernels
import Logging

/// The embedded model, opened in this process, where nothing else is registered.
func embeddedModel() throws -> LoadedModel {
    let registry = ModelRegistry(folder: NSTemporaryDirectory() + "auscult-none")
    return try ModelService(registry: registry, logger: Logger(label: "test")).open(nil)
}

/// An embedded clip as a microphone would give it.
func clipSamples(_ clip: String) throws -> [Int16] {
    try SampleBuffer.read(AudioInput.clip(named: clip).source).readAll().map {
        Int16(clamping: Int(($0 * 32768).rounded()))
    }
}

/// Keeps the tensors of a trace by their names, with what is said of them.
final class KeptTensors: TraceSink {
    var tensors: [String: Tensor] = [:]
    var descriptions: [TracedTensor] = []

    func begin(windows: Int?) {}
    func append(_ description: TracedTensor, _ tensor: Tensor) {
        descriptions.append(description)
        tensors[description.name] = tensor
    }
    func finish(_ summary: TraceSummary) {}
}
