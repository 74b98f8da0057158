import Glibc

/// The samples of a recording, float32 mono at 16 kHz, in any order and as often as one likes.
///
/// A recording of up to ten minutes (38 MB) lies in memory. A longer one lies in a temporary file that has no name
/// any more, in `$TMPDIR`, and is read from there piece by piece, so that memory does not grow with the recording and
/// nothing is left behind when the process ends, however it ends. (Not mapped: an unreadable page would be a signal,
/// a failed read is an error.)
public final class SampleBuffer: Sendable {
    /// Hertz.
    public static let sampleRate = 16_000
    /// Samples that are kept in memory: ten minutes.
    public static let memoryLimit = 600 * sampleRate

    /// Samples in all.
    public let count: Int
    /// What whoever reads them should know.
    public let notices: [Notice]
    private let storage: Storage
    private let level: Level

    /// What is done with samples as they are read.
    enum Level: Sendable, Hashable {
        case asIs
        /// Set to ±1 where they are beyond.
        case clipped
        /// Multiplied.
        case scaled(Float)
    }

    private enum Storage: Sendable {
        case memory([Float])
        case file(TemporaryFile)
    }

    public init(_ samples: [Float]) {
        count = samples.count
        storage = .memory(samples)
        (level, notices) = (.asIs, [])
    }

    /// The same samples on another level, with notices.
    init(_ samples: SampleBuffer, level: Level, notices: [Notice]) {
        (count, storage) = (samples.count, samples.storage)
        (self.level, self.notices) = (level, notices)
    }

    init(_ file: TemporaryFile, count: Int) {
        self.count = count
        storage = .file(file)
        (level, notices) = (.asIs, [])
    }

    /// Seconds.
    public var duration: Double { Double(count) / Double(Self.sampleRate) }

    /// Whether the samples lie in a temporary file and not in memory.
    public var isSpooled: Bool {
        if case .file = storage { true } else { false }
    }

    /// The samples in `range`, copied. Throws `unavailable` if the temporary file cannot be read.
    public func read(_ range: Range<Int>) throws -> [Float] {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "samples \(range) of \(count)")
        let stored =
            switch storage {
            case .memory(let samples): Array(samples[range])
            case .file(let file): try file.readFloats(range)
            }
        switch level {
        case .asIs: return stored
        case .clipped: return stored.map { min(max($0, -1), 1) }
        case .scaled(let factor): return stored.map { $0 * factor }
        }
    }

    /// All samples, copied: for recordings known to be short.
    public func readAll() throws -> [Float] { try read(0..<count) }
}

/// Collects samples of unknown number; see ``SampleBuffer`` for where they go.
package struct SampleSpool {
    package private(set) var count = 0
    private var memory: [Float] = []
    private var file: TemporaryFile?
    private let name: String
    private let memoryLimit: Int
    private let directory: String?

    /// - Parameters:
    ///   - name: the recording's, for messages.
    ///   - directory: for the temporary file; nil stands for `$TMPDIR`, or `/tmp` without one.
    package init(name: String, memoryLimit: Int = SampleBuffer.memoryLimit, directory: String? = nil) {
        self.name = name
        self.memoryLimit = memoryLimit
        self.directory = directory
    }

    package mutating func append(_ samples: UnsafeBufferPointer<Float>) throws {
        if file == nil, count + samples.count > memoryLimit {
            let file = try TemporaryFile(holding: name, directory: directory)
            try memory.withUnsafeBytes { try file.append($0) }
            memory = []
            self.file = file
        }
        if let file { try file.append(UnsafeRawBufferPointer(samples)) } else { memory += samples }
        count += samples.count
    }

    package consuming func finish() -> SampleBuffer {
        if let file { SampleBuffer(file, count: count) } else { SampleBuffer(memory) }
    }
}
