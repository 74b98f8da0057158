import Glibc
import Mel
import PluginKit
import PluginSound

/// Sounds that excite a target most (``DreamSearch``), beside the recordings' best moments for it (``BestMoments``).
public struct DreamPlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.dream", name: "Dreams", version: "1.0.0", vendor: "Auscult", licence: "Apache-2.0",
        description:
            "Sounds made to excite a neuron, a latent, a direction or a word as much as they can, heard by the model again, beside the best recording.",
        needs: Needs(hooks: ["encoder.blocks.2.mlp.1"], allFrames: true, audio: true),
        parameters: [
            .text(
                "targets", default: "encoder.blocks.2.mlp.1:0",
                "what to dream of, several between semicolons: HOOK:INDEXES (3, 0-19; of a head 2.17), latent INDEXES, direction, word WORDS"
            ),
            .path("dictionary", "the folder of the sparse dictionary that latents are of"),
            .path("direction", "a .safetensors file with one row, named as the hook point that it is a direction at"),
            .choice(
                "start", default: "noise", of: ["noise", "clip"],
                "what to begin with: noise, or the best moment of the recordings"),
            .number("seconds", default: 1, in: 0.2...10, "length of a dream"),
            .integer("steps", default: 96, in: 1...10_000, "steps of the ascent"),
            .integer("rounds", default: 4, in: 1...100, "how often it is taken to sound and back"),
            .number("rate", default: 0.08, in: 0.0001...1, "length of a step, of a range of 2"),
            .number(
                "others", default: 1, in: 0...100,
                "λ: how much of the mean of the hook point's other columns is taken off"),
            .number("smooth_time", default: 0.3, in: 0...100, "weight of the total variation in time"),
            .number("smooth_frequency", default: 0.3, in: 0...100, "weight of the total variation in frequency"),
            .integer("jitter", default: 2, in: 0...20, "mel frames that a step is shifted by at most, at random"),
            .number(
                "noise", default: 0.05, in: 0...1, "standard deviation of what is added to the log-mel in each step"),
            .number("peak", default: 1.2, in: -1...1.5, "the loudest value of the log-mel; it reaches down to 2 less"),
        ],
        outputs: [
            .matrix("mel", title: "Dreamt log-mel", "What was optimised, frequencies upwards"),
            .matrix("heard", title: "Log-mel of the sound", "What the model hears of the sound made of it"),
            .matrix("best_mel", title: "Log-mel of the best recording", "Around its strongest moment"),
            .audio("sound", title: "Dream"),
            .audio("best_sound", title: "Best recording", "Around its strongest moment"),
            .vector("ascent", title: "Value at each step", axis: Axis("step", first: 1)),
            .table(
                "dreams", title: "Dreams", plot: .none,
                "The largest value in the optimised log-mel, in the sound made of it, and in the recordings"),
            .text("found", title: "Found"),
        ])

    /// The recordings' best.
    public struct State: Codable {
        var moments: BestMoments
    }

    public private(set) var state: State
    private let targets: [DreamTarget]
    private let settings: DreamSearch.Settings
    private let frames: Int
    private let beginsWithClip: Bool
    private let host: Host
    private var run: Run?

    public init(arguments: Arguments, host: Host) throws {
        targets = try DreamTarget.parse(
            arguments.text("targets"), dictionary: arguments.path("dictionary"),
            direction: arguments.path("direction"))
        state = State(moments: BestMoments(targets: targets.count))
        settings = try DreamSearch.Settings(arguments)
        // Even, as the encoder takes two at a time.
        frames = 2 * Int((50 * (try arguments.number("seconds"))).rounded())
        beginsWithClip = try arguments.choice("start") == "clip"
        self.host = host
    }

    public var needs: Needs {
        let hooks = Set(targets.map(\.hook)).filter { !$0.isEmpty }
        return Needs(hooks: hooks.sorted(), allFrames: true, audio: true)
    }

    public mutating func activate(_ run: Run) throws { self.run = run }

    private func model() throws -> HostModel {
        guard let run else { throw PluginError(.failed, "the host gave recordings before activate()") }
        return HostModel(host: host, bands: run.nMels)
    }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        let samples = LogMel.hop * frames
        for (index, target) in targets.enumerated() {
            try host.checkCancellation()
            let moment: Moment?
            if target.isWords {
                moment = try model().largest(target, samples: Array(clip.samples))
            } else {
                moment = try target.moment(clip.tensor(target.hook))
            }
            if let moment { state.moments.add(moment, of: index, in: clip, samples: samples) }
        }
    }

    public mutating func merge(state other: State) throws {
        guard other.moments.isSound(targets: targets.count, samples: LogMel.hop * frames) else {
            throw PluginError(.invalidArgument, "the saved state is damaged: it is not of these targets")
        }
        state.moments.merge(other.moments)
    }

    public mutating func finish(_ results: Results) throws {
        let model = try model(), seed = run?.seed ?? 0
        // Workers share the plugin's folder.
        let hasDirection = targets.contains { if case .direction = $0.content { true } else { false } }
        let file = hasDirection ? try host.folder() + "/\(getpid())-direction.safetensors" : ""
        defer { if hasDirection { unlink(file) } }
        var rows: [[Cell]] = [], above = 0, compared = 0
        for (index, target) in targets.enumerated() {
            let best = state.moments.best[index]
            var search = DreamSearch(model: model, settings: settings, frames: frames, seed: seed)
            let host = host, total = targets.count, each = settings.rounds * max(1, settings.steps / settings.rounds)
            search.progress = { done in
                try host.checkCancellation()
                host.progress(Double(index * each + done), of: Double(total * each), unit: "steps")
            }
            if beginsWithClip, best == nil {
                throw PluginError(.invalidArgument, "start is clip, and no recording was heard for \(target.name)")
            }
            let dream = try search.dream(of: target, from: beginsWithClip ? best?.samples : nil, file: file)
            try emit(dream, best, target, results)
            if let best {
                compared += 1
                if dream.soundMoment.value > best.value { above += 1 }
            }
            rows.append(Self.row(dream, best, target))
        }
        try results.emit("dreams", .table(columns: Self.columns, rows: rows), mayBeNaN: true)
        try results.emit(
            "found",
            .text(
                compared == 0
                    ? "\(targets.count) dreams, and no recording to compare them with"
                    : "\(above) of \(compared) dreams are above the best recording, measured through their sound"))
    }

    // MARK: - Results

    private static let columns = [
        "target", "optimised log-mel", "through its sound", "at (s)", "best recording", "recording", "at",
        "sound above",
    ]

    private static func row(
        _ dream: DreamSearch.Dream, _ best: BestMoments.Best?, _ target: DreamTarget
    ) -> [Cell] {
        [
            .text(target.name), .number(dream.melMoment.value), .number(dream.soundMoment.value),
            .number(target.isWords ? .nan : Double(dream.soundMoment.frame) / 50), .number(best?.value ?? .nan),
            .text(best?.recording ?? ""), .number(target.isWords ? .nan : best?.time ?? .nan),
            .text(best.map { dream.soundMoment.value > $0.value ? "yes" : "no" } ?? ""),
        ]
    }

    private func emit(
        _ dream: DreamSearch.Dream, _ best: BestMoments.Best?, _ target: DreamTarget, _ results: Results
    ) throws {
        let bands = try model().bands, logMel = LogMel(bands: bands)
        func emit(_ id: String, _ mel: [Float]) throws {
            let picture = MelPicture(mel, bands: bands)
            try results.emit(
                id, .matrix(picture.values, rows: bands, columns: picture.frames, axes: picture.axes),
                recording: target.label)
        }
        try emit("mel", dream.mel)
        try emit("heard", logMel.window(dream.samples, firstFrames: frames).elements)
        try results.emit("sound", .audio(dream.samples, sampleRate: LogMel.sampleRate), recording: target.label)
        try results.emit("ascent", .vector(dream.history), recording: target.label)
        guard let best else { return }
        try emit("best_mel", logMel.window(best.samples, firstFrames: frames).elements)
        try results.emit("best_sound", .audio(best.samples, sampleRate: LogMel.sampleRate), recording: target.label)
    }
}

extension DreamSearch.Settings {
    init(_ arguments: Arguments) throws {
        steps = try arguments.integer("steps")
        rounds = min(try arguments.integer("rounds"), steps)
        rate = Float(try arguments.number("rate"))
        others = try arguments.number("others")
        smoothTime = Float(try arguments.number("smooth_time"))
        smoothFrequency = Float(try arguments.number("smooth_frequency"))
        jitter = try arguments.integer("jitter")
        noise = Float(try arguments.number("noise"))
        peak = Float(try arguments.number("peak"))
    }
}
