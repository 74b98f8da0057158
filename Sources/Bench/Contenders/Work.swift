import Foundation

/// One piece of work, timed by whoever does it: a line of JSON, which this program's worker and Tests/speed/peers.py read
/// alike. Fields that a kind of work has no use for are absent.
public struct Work: Codable, Sendable, Hashable {
    public enum Kind: String, Codable, Sendable {
        /// The encoder on a log-mel.
        case encode
        /// The encoder, and back from the sum of its outputs to every attention pattern.
        case gradient
        /// The log-mel of samples.
        case mel
        /// A prompt and `count` tokens after it, always the likeliest.
        case greedy
        /// A window's text with `beams` beams.
        case beam
        /// `count` prompts at once, one pass of the decoder.
        case prompts
        /// Recordings from file to text.
        case transcribe
        /// `count` steps of a sparse dictionary's training; `sizes` are width, latents, batch and k, `samples` the activations.
        case dictionary
        /// One kernel on one thread.
        case kernel
    }

    /// What is kept of the activations on the way through the encoder.
    public enum Capture: String, Codable, Sendable {
        case none
        /// The residual stream after every block, and every mlp.1.
        case residual
        /// That, and every attention pattern.
        case patterns
    }

    /// The variant of a gradient of which nothing is kept.
    public static let passing = "passing"

    public var run: Kind
    /// Threads that a peer may use; a worker of ours has them from its environment.
    public var threads = 1
    /// Which of a peer's ways; of ours, the precision of the encoder.
    public var variant: String?
    /// A file of float32, `[n_mels, frames]`.
    public var mel: String?
    public var frames: Int?
    public var capture: Capture?
    /// Patterns of hook points, in place of `capture`.
    public var hooks: [String]?
    /// A file of float32 at 16 kHz.
    public var samples: String?
    public var bands: Int?
    public var prompt: [Int]?
    public var count: Int?
    public var beams: Int?
    public var files: [String]?
    public var language: String?
    /// A kernel's name and the extents of what it works on.
    public var kernel: String?
    public var sizes: [Int]?

    public init(_ run: Kind) { self.run = run }
}

/// What comes back: one line of JSON.
public struct WorkReply: Codable, Sendable {
    /// Of the work alone.
    public var seconds: Double?
    /// A few elements of the result, from the same places for everybody, so that results can be compared.
    public var probe: [Float]?
    public var tokens: [Int]?
    /// Memory at the most, above what there was before.
    public var bytes: Int?
    public var text: String?
    /// Which form of the kernels ran.
    public var kernels: String?
    /// Why there is no result.
    public var error: String?

    public init() {}
}

extension WorkReply {
    /// How far the probe is from another one: the norm of the difference over the other's norm; nil where one is missing.
    public func distance(from other: WorkReply) -> Double? {
        guard let probe, let reference = other.probe, probe.count == reference.count, !probe.isEmpty else { return nil }
        let difference = zip(probe, reference).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        let norm = reference.reduce(0.0) { $0 + Double($1) * Double($1) }
        return norm > 0 ? (difference / norm).squareRoot() : nil
    }
}
