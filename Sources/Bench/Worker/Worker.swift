import Foundation
import Kernels
import Whisper

/// This program as a contender: reads ``Work`` from standard input, a line each, and answers with ``WorkReply``.
///
/// It is a process of its own because the number of threads and the form of the kernels are its environment's. Measured is
/// the public interface of the modules, as any program calls it. Anything that goes wrong is answered and not thrown.
final class Worker {
    /// The checkpoint, opened when it is first needed, in each precision that is asked for.
    let path: String?
    private var opened: [Precision: (checkpoint: Checkpoint, model: WhisperModel)] = [:]
    private var mels: [String: Tensor] = [:]
    private var sounds: [String: [Float]] = [:]
    /// The encoder's output by log-mel.
    private var encoded: [String: Tensor] = [:]

    /// The variant of the gradient before.
    var lastGradient: String?

    /// A sparse dictionary in training.
    var training: Training?

    init(model path: String?) { self.path = path }

    /// Answers until there are no more lines.
    func serve() {
        while let line = readLine() {
            var reply: WorkReply
            do {
                reply = try answer(JSONDecoder().decode(Work.self, from: Data(line.utf8)))
                reply.kernels = KernelImplementation.current.rawValue
            } catch {
                reply = WorkReply()
                reply.error = "\(error)"
            }
            guard let data = try? JSONEncoder().encode(reply) else { return }
            FileHandle.standardOutput.write(data + Data("\n".utf8))
        }
    }

    func answer(_ work: Work) throws -> WorkReply {
        switch work.run {
        case .encode: try encode(work)
        case .gradient: try gradient(work)
        case .mel: try mel(work)
        case .greedy: try greedy(work)
        case .beam: try beam(work)
        case .prompts: try prompts(work)
        case .transcribe: try transcribe(work)
        case .kernel: try kernel(work)
        case .dictionary: try dictionary(work)
        }
    }

    // MARK: - What is needed

    func model(_ precision: Precision = .exact) throws -> WhisperModel { try loaded(precision).model }

    func loaded(_ precision: Precision = .exact) throws -> (checkpoint: Checkpoint, model: WhisperModel) {
        if let opened = opened[precision] { return opened }
        guard let path else { throw BenchError("no model is named") }
        let checkpoint = try Checkpoint.open(path)
        let both = (checkpoint, try WhisperModel(checkpoint, precision: precision))
        opened[precision] = both
        return both
    }

    /// A field of the work that this kind needs.
    func needed<Value>(_ value: Value?, _ name: String) throws -> Value {
        guard let value else { throw BenchError("the work lacks '\(name)'") }
        return value
    }

    /// The file's float32, read once.
    func sound(_ path: String) throws -> [Float] {
        if let known = sounds[path] { return known }
        let samples = try FloatFile.read(path)
        sounds[path] = samples
        return samples
    }

    func logMel(_ work: Work) throws -> Tensor {
        let path = try needed(work.mel, "mel"), frames = try needed(work.frames, "frames")
        if let known = mels[path] { return known }
        let values = try FloatFile.read(path)
        guard frames > 0, values.count % frames == 0 else {
            throw BenchError("\(path) has \(values.count) numbers; expected rows of \(frames)")
        }
        let tensor = Tensor(shape: [values.count / frames, frames], values)
        mels[path] = tensor
        return tensor
    }

    func audio(_ work: Work) throws -> Tensor {
        let path = try needed(work.mel, "mel")
        if let known = encoded[path] { return known }
        let audio = try model().encode(logMel(work))
        encoded[path] = audio
        return audio
    }
}

/// Float32 numbers in a file, nothing else.
enum FloatFile {
    static func read(_ path: String) throws -> [Float] {
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            throw BenchError("cannot read \(path): \(error.localizedDescription)")
        }
        return [Float](unsafeUninitializedCapacity: data.count / 4) { out, count in
            count = data.copyBytes(to: out) / 4
        }
    }

    static func write(_ values: some Sequence<Float>, to path: String) throws {
        let array = Array(values)
        do { try array.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: path)) } } catch {
            throw BenchError("cannot write \(path): \(error.localizedDescription)")
        }
    }
}

extension WorkReply {
    init(seconds: Double) {
        self.init()
        self.seconds = seconds
    }

    /// Sixteen elements, evenly over the whole; `peers.py` takes the same.
    static func probe(_ tensor: Tensor) -> [Float] {
        tensor.withUnsafeBufferPointer { values in
            values.isEmpty ? [] : (0..<16).map { values[$0 * (values.count - 1) / 15] }
        }
    }
}
