import Foundation
import PluginDraws
import PluginKit

/// Activations at frames of recordings: the same frames of the same sound in every model, however its recordings come.
///
/// Which frames are taken of a window is decided by a hash of its samples and the frame, and by nothing else.
struct ActivationSample: Codable, Equatable {
    /// Bytes of activations that are kept in memory.
    static let mostBytes = 768 << 20

    private(set) var hooks: [String] = []
    private(set) var widths: [Int] = []
    /// By hook: row-major, `widths` numbers for each frame.
    private(set) var values: [[Float]] = []
    /// By row: the digest of its window's samples, and the frame in that window.
    private(set) var digests: [Int] = []
    private(set) var frames: [Int] = []
    /// By row: places in ``names``.
    private(set) var labels: [Int] = []
    private(set) var speakers: [Int] = []
    /// Labels and speakers; the first is "": there is none.
    private(set) var names = [""]

    init() {}

    /// - Parameter values: by hook, `widths` numbers for each row.
    init(
        hooks: [String], widths: [Int], values: [[Float]], digests: [Int], frames: [Int], labels: [Int],
        speakers: [Int], names: [String]
    ) {
        (self.hooks, self.widths, self.values, self.digests, self.frames) = (hooks, widths, values, digests, frames)
        (self.labels, self.speakers, self.names) = (labels, speakers, names)
    }

    var count: Int { digests.count }

    func label(_ row: Int) -> String { names[labels[row]] }
    func speaker(_ row: Int) -> String { names[speakers[row]] }

    /// Whether sizes and places fit one another, and all numbers are finite.
    var isSound: Bool {
        hooks.count == widths.count && hooks.count == values.count && Set(hooks).count == hooks.count
            && widths.allSatisfy { (1...1 << 20).contains($0) } && names.first == ""
            && [frames.count, labels.count, speakers.count].allSatisfy { $0 == count }
            && frames.allSatisfy { (0..<1 << 24).contains($0) }
            && (labels + speakers).allSatisfy(names.indices.contains)
            && zip(values, widths).allSatisfy { $0.count == count * $1 && $0.allSatisfy(\.isFinite) }
    }

    /// A 64-bit digest of samples, bit for bit (FNV-1a over their words).
    static func digest(_ samples: UnsafeBufferPointer<Float>) -> UInt64 {
        samples.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01b3 }
    }

    /// The frames with the smallest keys, in ascending order.
    static func chosen(digest: UInt64, of frames: Int, count: Int) -> [Int] {
        let keys = (0..<max(0, frames)).map {
            (key: Hashing.key(seed: 0, recording: digest, frame: UInt64($0)), frame: $0)
        }
        return keys.sorted { $0.key < $1.key }.prefix(count).map(\.frame).sorted()
    }

    /// Takes frames of a window.
    /// - Parameters:
    ///   - count: frames at most.
    ///   - label: of a time, in seconds of the recording.
    mutating func add(_ clip: Clip, count: Int, label: (Double) -> String) throws {
        guard !clip.samples.isEmpty, clip.validFrames > 0 else { return }
        let layouts = try clip.tensors.map { tensor in
            guard tensor.rank >= 2, tensor.axis("frame") == 0, tensor.shape[0] >= clip.validFrames else {
                throw PluginError(
                    .invalidArgument,
                    "\(tensor.hook) of \(clip.name) has shape \(tensor.shape) over \(tensor.axes); expected frames first, at "
                        + "least \(clip.validFrames): neurons, heads' outputs or the residual stream of the encoder")
            }
            return (hook: tensor.hook, width: tensor.shape.dropFirst().reduce(1, *))
        }
        if hooks.isEmpty {
            (hooks, widths) = (layouts.map(\.hook), layouts.map(\.width))
            values = Array(repeating: [], count: hooks.count)
        }
        guard layouts.map(\.hook) == hooks, layouts.map(\.width) == widths else {
            throw PluginError(.unsupported, "\(clip.name) came with \(layouts.map(\.hook)), expected \(hooks)")
        }
        let digest = Self.digest(clip.samples)
        let chosen = Self.chosen(digest: digest, of: clip.validFrames, count: count)
        guard (self.count + chosen.count) * widths.reduce(0, +) * 4 <= Self.mostBytes else {
            throw PluginError(
                .limit,
                "activations of \(self.count) frames, \(widths.reduce(0, +)) numbers each, are all that is kept in memory; lower "
                    + "frames=, or name fewer hooks")
        }
        for (place, tensor) in clip.tensors.enumerated() {
            let width = widths[place]
            tensor.withUnsafeFloats { all in
                for frame in chosen { values[place] += all[frame * width..<(frame + 1) * width] }
            }
        }
        let speaker = number(of: clip.labels["speaker"] ?? "")
        for frame in chosen {
            digests.append(Int(bitPattern: UInt(digest)))
            frames.append(frame)
            labels.append(number(of: label(clip.start + (Double(frame) + 0.5) / 50)))
            speakers.append(speaker)
        }
    }

    private mutating func number(of name: String) -> Int {
        if let place = names.firstIndex(of: name) { return place }
        names.append(name)
        return names.count - 1
    }

    /// Takes in another's rows behind these.
    /// - Throws: ``PluginError`` where it has other hook points, or is not sound.
    mutating func add(_ other: ActivationSample) throws {
        guard other.isSound else {
            throw PluginError(
                .invalidArgument, "the saved state is damaged: its activations have other sizes than it says")
        }
        guard other.count > 0 else { return }
        if hooks.isEmpty {
            (hooks, widths, values) = (other.hooks, other.widths, Array(repeating: [], count: other.hooks.count))
        }
        guard other.hooks == hooks, other.widths == widths else {
            throw PluginError(.invalidArgument, "the saved state is of \(other.hooks), expected \(hooks)")
        }
        for place in values.indices { values[place] += other.values[place] }
        digests += other.digests
        frames += other.frames
        let places = other.names.map { number(of: $0) }
        labels += other.labels.map { places[$0] }
        speakers += other.speakers.map { places[$0] }
    }

    /// Rows that both have, as pairs of places, in the order of their digests and frames; a row that comes twice counts once.
    static func shared(_ own: ActivationSample, _ other: ActivationSample) -> [(own: Int, other: Int)] {
        func places(_ sample: ActivationSample) -> [[Int]: Int] {
            var places: [[Int]: Int] = [:]
            for row in (0..<sample.count).reversed() { places[[sample.digests[row], sample.frames[row]]] = row }
            return places
        }
        let others = places(other)
        return places(own).sorted { ($0.key[0], $0.key[1]) < ($1.key[0], $1.key[1]) }
            .compactMap { key, row in others[key].map { (row, $0) } }
    }

    /// Rows of a hook, row-major.
    func rows(_ hook: Int, _ places: [Int]) -> [Float] {
        let width = widths[hook]
        var rows: [Float] = []
        rows.reserveCapacity(places.count * width)
        for place in places { rows += values[hook][place * width..<(place + 1) * width] }
        return rows
    }
}
