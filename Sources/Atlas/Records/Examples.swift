import Foundation
import GRDB

/// One of a feature's strongest moments.
public struct AtlasExample: AtlasRecord, Identifiable {
    public var id: Int64
    public var featureId: Int64
    /// "+" for the largest values, "-" for the smallest.
    public var side: String
    /// From 1.
    public var rank: Int
    public var recordingId: Int64
    /// An encoder frame from the recording's start, or a token's position.
    public var frame: Int
    /// Nil for a token.
    public var seconds: Double?
    public var value: Double
    /// The frame of the curve's first value.
    public var curveFirst: Int?
    /// Float16 little-endian, a value a frame.
    public var curve: Data?

    /// The activation around the moment, a value a frame from ``curveFirst``; empty where it was not kept.
    public var activation: [Float] { curve.map(Self.values) ?? [] }

    /// Float16 little-endian.
    static func values(of curve: Data) -> [Float] {
        let bytes = [UInt8](curve)
        return stride(from: 0, to: bytes.count - 1, by: 2).map { at in
            Float(Float16(bitPattern: UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8))
        }
    }
}

/// An example with the recording that it is in.
public struct AtlasExampleCard: Codable, Sendable, Hashable {
    public var example: AtlasExample
    public var recording: AtlasRecording
    /// The activation around the moment, as ``AtlasExample/activation``.
    public var activation: [Float]
    /// What is heard in the recording within the curve's time, or all of it where there is no curve.
    public var sounds: [AtlasSound]
    /// Frames of 20 ms by which the activation follows what it answers to: those of the best label of its side.
    public var lag: Int
}

/// A range of activations.
public struct AtlasBin: AtlasRecord, Identifiable {
    public var id: Int64
    public var featureId: Int64
    public var side: String
    /// "width" for equally wide bins, "quantile" for equally full ones.
    public var kind: String
    /// 0 for the lowest.
    public var bin: Int
    public var low: Double?
    public var high: Double?
    public var count: Int?
    /// How often each phoneme was heard while the activation was in the bin.
    public var sounds: [String: Int]
}

extension AtlasBin {
    /// ``sounds``, the most frequent first.
    public var soundsByCount: [(sound: String, count: Int)] {
        sounds.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }
}

/// A moment with an activation in a bin, drawn evenly from all of them.
public struct AtlasBinExample: AtlasRecord {
    public var binId: Int64
    public var recordingId: Int64
    public var frame: Int
    public var seconds: Double?
    public var value: Double
}

/// A bin with its examples.
public struct AtlasBinCard: Codable, Sendable, Hashable {
    public struct Example: Codable, Sendable, Hashable {
        public var example: AtlasBinExample
        public var recording: AtlasRecording
        /// The phonemes that the moment answers to, or the token that is read; empty where none are known.
        public var heard: [String]
    }

    public var bin: AtlasBin
    /// The strongest first.
    public var examples: [Example]
}

/// Everything that an atlas knows of a feature.
public struct AtlasCard: Codable, Sendable, Hashable {
    public var feature: AtlasFeature
    public var scan: AtlasScan
    /// By kind and side, the best first.
    public var labels: [AtlasLabel]
    public var columns: [AtlasColumn]
    public var histogram: [AtlasHistogramCell]
    /// By side and rank.
    public var examples: [AtlasExampleCard]
    /// By side, kind and number.
    public var bins: [AtlasBinCard]
}

extension AtlasExampleCard {
    /// What the moment answers to: the phoneme that is heard ``lag`` before it, or else the word; the token for one of the
    /// decoder; nil for nothing.
    public var heard: String? { heard(lag: lag) }

    /// The same for another label's lag.
    public func heard(lag: Int) -> String? {
        guard let seconds = example.seconds else {
            return sounds.first { $0.kind == "token" && $0.start == Double(example.frame) }?.label
        }
        let at = seconds - Double(lag) * AtlasLabel.secondsOfLag
        func label(_ kind: String) -> String? {
            sounds.first { $0.kind == kind && $0.start <= at && at < $0.end }?.label
        }
        return label("phoneme") ?? label("word")
    }

    /// What is said in the recording, with the word or the token of the moment between guillemets. Of a long recording
    /// that a decoder read in several windows it is the window's.
    public var markedText: String {
        let isToken = example.seconds == nil
        let at = example.seconds.map { $0 - Double(lag) * AtlasLabel.secondsOfLag } ?? Double(example.frame)
        var parts = sounds.filter { $0.kind == (isToken ? "token" : "word") }
        guard var marked = parts.firstIndex(where: { $0.start <= at && at < $0.end }) else {
            return recording.text ?? ""
        }
        if isToken {
            // A token lasts to the next; where none begins, a window has ended.
            let ends = parts.indices.dropFirst().filter { parts[$0 - 1].end < parts[$0].start }
            let (first, end) = (ends.last { $0 <= marked } ?? 0, ends.first { $0 > marked } ?? parts.count)
            (parts, marked) = (Array(parts[first..<end]), marked - first)
        }
        return parts.enumerated().map { $0 == marked ? Self.marked($1.label) : $1.label }
            .joined(separator: isToken ? "" : " ")
    }

    /// Between guillemets, but for the space that a token begins with.
    private static func marked(_ label: String) -> String {
        let space = label.prefix { $0 == " " }
        return "\(space)«\(label.dropFirst(space.count))»"
    }
}
