import PluginKit

/// Where a model tells the two recordings of a minimal pair apart.
public struct PatchingPlugin: StatefulPlugin {
    public static let descriptor = PluginDescriptor(
        id: "org.auscult.patching", name: "Activation patching", version: "1.0.0", vendor: "Auscult",
        licence: "Apache-2.0",
        description:
            "Where a model tells the two recordings of a minimal pair apart: activations of one put into the other, attribution and path "
            + "patching, steering.",
        needs: Needs(audio: true),
        parameters: [
            .column(
                "pair", default: "order", or: ["order"],
                "the column that says which two recordings are a pair; order: every two that follow one another"),
            .column(
                "side", default: "order", or: ["order"],
                "the column that says clean or corrupted; order: the first of a pair is the clean one"),
            .choice(
                "answers", default: "text", of: ["text", "heard"],
                "what was said: the recordings' texts, where they have some, or what the model writes of them"),
            .integer("frames", default: 10, in: 1...500, "frames of 20 ms that are exchanged together"),
            .number(
                "least", default: 1, in: 0...100,
                "how far apart the two recordings' logit differences have to be; a pair below it is told and left out"),
            .integer(
                "paths", default: 3, in: 0...20, "parts of encoder and decoder each, the best, whose paths are followed"
            ),
            .boolean("steering", default: true, "whether to steer by the difference of the classes"),
        ],
        outputs: PatchingReport.outputs)

    public struct State: Codable {
        var heard: [Heard] = []
        var notes: [String] = []
    }

    public private(set) var state = State()
    private let pairColumn, sideColumn: String
    private let heardTexts, steers: Bool
    private let step, paths: Int
    private let least: Double
    private let host: Host
    private var run: Run?

    public init(arguments: Arguments, host: Host) throws {
        pairColumn = try arguments.text("pair")
        sideColumn = try arguments.text("side")
        heardTexts = try arguments.choice("answers") == "heard"
        step = try arguments.integer("frames")
        least = try arguments.number("least")
        paths = try arguments.integer("paths")
        steers = try arguments.boolean("steering")
        self.host = host
    }

    public mutating func activate(_ run: Run) throws { self.run = run }

    public mutating func process(_ clip: Clip, _ results: Results) throws {
        guard clip.windowCount == 1 else {
            if clip.isLastWindow {
                state.notes.append("\(clip.name) is longer than the model's window, and was left out")
            }
            return
        }
        guard clip.samples.allSatisfy(\.isFinite) else {
            throw PluginError(.invalidArgument, "\(clip.name) has samples that are not finite")
        }
        var isClean: Bool?
        if sideColumn != "order" {
            guard let side = clip.labels[sideColumn], ["clean", "corrupted"].contains(side) else {
                throw PluginError(
                    .invalidArgument,
                    "\(clip.name) has \(clip.labels[sideColumn].map { "\"\($0)\"" } ?? "nothing") as its \(sideColumn); expected clean or corrupted"
                )
            }
            isClean = side == "clean"
        }
        let pair = pairColumn == "order" ? nil : clip.labels[pairColumn]
        guard pairColumn == "order" || pair != nil else {
            return state.notes.append("\(clip.name) has no \(pairColumn), and was left out")
        }
        state.heard.append(
            Heard(
                name: clip.name, pair: pair, isClean: isClean, text: clip.labels["text"], samples: Array(clip.samples)))
    }

    public mutating func merge(state other: State) throws {
        guard other.heard.allSatisfy({ $0.samples.allSatisfy(\.isFinite) }) else {
            throw PluginError(.invalidArgument, "the saved state is damaged: it has samples that are not finite")
        }
        state.heard += other.heard
        state.notes += other.notes
    }

    public mutating func finish(_ results: Results) throws {
        guard let run else { throw PluginError(.failed, "there is no model") }
        let (pairs, strays) = MinimalPair.all(of: state.heard)
        var report = PatchingReport(run: run, step: step, notes: state.notes + strays)
        let scratch = try Scratch(in: host.folder())
        // Its files are read by the passes, until the last.
        defer { withExtendedLifetime(scratch) {} }
        var passes = 0.0
        let host = host
        func passed(of total: Double) {
            passes += 1
            host.progress(passes, of: max(total, passes), unit: "passes")
        }
        var total = 0.0, patched: [PatchedPair] = []
        for (number, pair) in pairs.enumerated() {
            do {
                var contrast = try Contrast(pair, heardTexts: heardTexts, host: host)
                try contrast.listen()
                let isFit = contrast.clean - contrast.corrupted >= max(least, 1e-6)
                try report.add(contrast, isUsed: isFit, host)
                guard isFit else { continue }
                let places = Place.all(in: run, frames: contrast.frames, step: step, tokens: contrast.tokens.count)
                total += Double(places.count * (number == 0 ? pairs.count : 1))
                let file = scratch.path("pair-\(number).safetensors")
                try contrast.write(to: file)
                patched.append(try PatchedPair(contrast, places, file: file) { passed(of: total) })
            } catch let error as Unfit { report.notes.append("\(pair.name): \(error)") }
        }
        report.take(patched)
        let best = report.means.best
        let senders = [[Place.Kind.encoderHead, .encoderMLP], [.decoderHead, .crossHead, .decoderMLP]].flatMap {
            kinds in
            best.filter { kinds.contains($0.place.kind) }.prefix(paths).map { $0.place }
        }
        report.paths = try Paths(from: senders, patched, run) { passed(of: passes + 1) }
        if steers {
            report.steering = try Steering(
                patched, layers: run.nAudioLayer, seed: run.seed, write: { try scratch.write($0) }
            ) { passed(of: passes + 1) }
        }
        try report.emit(to: results)
    }
}
