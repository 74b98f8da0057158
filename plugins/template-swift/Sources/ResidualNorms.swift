import PluginKit

/// How long the residual stream's vectors are after each block of the encoder.
///
///     make
///     auscult plugins validate build/org.example.template-swift
///     AUSCULT_PLUGIN_PATH=build auscult run template-swift recording.wav
struct ResidualNorms: StatefulPlugin {
    // What the plugin needs, takes and gives. What is emitted has to be declared here, with the same id and kind.
    static let descriptor = PluginDescriptor(
        id: "org.example.template-swift", name: "Residual norms", version: "1.0.0", vendor: "Example",
        licence: "Apache-2.0",
        description: "How long the residual stream's vectors are after each block of the encoder.",
        needs: Needs(hooks: ["encoder.blocks.*"], canStream: true),
        parameters: [.boolean("per-recording", default: true, "whether to give a line for each recording")],
        outputs: [.vector("norms", title: "Norm of the residual stream", axis: Axis("block"), plot: .line)])

    /// One clip: sums over its frames, and how many there are. They are kept apart and put in order at the end, so that
    /// the results are the same to the bit however a run was divided and merged.
    struct Heard: Codable {
        let recording: UInt64
        let window, frames: Int
        let sums: [Double]
    }
    private(set) var state: [Heard] = []
    private let perRecording: Bool

    init(arguments: Arguments, host: Host) throws { perRecording = try arguments.boolean("per-recording") }

    // Hears one window of one recording, or a stretch of sound that is still being made, which always is the last so far. Tensors are
    // looked at where they lie: [frames, state], without padding.
    mutating func process(_ clip: Clip, _ results: Results) throws {
        let sums = clip.tensors.map { stream in
            stream.slices.reduce(0.0) { sum, frame in
                sum + frame.withUnsafeFloats { $0.reduce(0.0) { $0 + Double($1) * Double($1) } }.squareRoot()
            }
        }
        if let known = state.first?.sums.count, known != sums.count {
            throw PluginError(.unsupported, "\(clip.name) came with \(sums.count) blocks, expected \(known) as before")
        }
        let frames = clip.tensors.first?.shape.first ?? 0
        state.append(Heard(recording: clip.recording, window: clip.window, frames: frames, sums: sums))
        guard perRecording, clip.isLastWindow else { return }
        try emit(state.filter { $0.recording == clip.recording }, results, recording: clip.name)
    }

    // Gives the results about all recordings.
    mutating func finish(_ results: Results) throws {
        try emit(state.sorted { ($0.recording, $0.window) < ($1.recording, $1.window) }, results, recording: nil)
    }

    // Takes in what another instance has heard. The values may be damaged: they are checked.
    mutating func merge(state other: [Heard]) throws {
        let widths = Set((state + other).map(\.sums.count))
        guard widths.count <= 1, other.allSatisfy({ $0.frames >= 0 && $0.frames < 1 << 32 }) else {
            throw PluginError(
                .invalidArgument, "the saved clips have sums of \(widths.sorted()) blocks, expected one number")
        }
        state += other
    }

    private func emit(_ heard: [Heard], _ results: Results, recording: String?) throws {
        guard let blocks = heard.first?.sums.count else { return }
        let frames = heard.reduce(0) { $0 + $1.frames }
        let means = (0..<blocks).map { block in heard.reduce(0) { $0 + $1.sums[block] } / Double(max(1, frames)) }
        try results.emit("norms", .vector(means), recording: recording)
    }
}

// Names the plugins of this library.
@_cdecl("auscult_plugin_types")
public func pluginTypes() { PluginLibrary.register(ResidualNorms.self) }
