import Client
import Messages
import Results

extension Section {
    /// Claim 5, through all blocks: what frames rest on lies near them.
    package static let rollout = Section(
        id: "rollout",
        title: "Through all blocks, a frame rests on its neighbours",
        claim: """
            Gradient-weighted rollout of the encoder's attention (Chefer, Gur and Wolf 2021), for the gradient of the sum of all \
            its outputs, shows that attention is very localized through all blocks, up to the end of the speech.
            """,
        method: """
            R ← I, and R ← R + Ā R for each block of the encoder, Ā the mean over heads of max(0, ∇A ∘ A). A row of R − I is \
            what a frame rests on; a gradient gives it no unit, so it is read by its shares, over frames of sound in \
            recordings with speech. The post's objective is the sum of all outputs, of which layer normalisation takes most \
            away; beside it stands the log-probability of what the model writes. Recordings are heard without padding, \
            unlike in the post: padding is not data. Counted is the share within ±10 frames (0.2 s) beyond what a frame has \
            there that rests on all frames of its recording alike: (share − even) / (1 − even), 1 where all of it lies \
            there and 0 where it is spread evenly, however long recordings are.
            """,
        parts: RolloutStudy.parts,
        criteria: [
            Criterion(
                "post", "share of what a frame rests on within ±10 frames, beyond even, for the sum of all outputs",
                holds: 0.5, partly: 0.25, least: 500,
                because: "a head counts as local with half of its attention there; half of that is partly"),
            Criterion(
                "transcript", "the same for the log-probability of what the model writes", holds: 0.5, partly: 0.25,
                least: 500, because: "the same", isRequired: false),
        ],
        exhibits: [
            Exhibit(
                Exhibit.findings, "shares",
                "How much of what a frame rests on lies within so many frames of 20 ms; even: if it rested on all alike."
            ),
            Exhibit(
                "map", "map", "What each frame of one recording rests on, the frame down, what it rests on across."),
            Exhibit(Exhibit.findings, "locality", "The same as numbers.", folded: true),
            Exhibit(Exhibit.findings, "recordings", "Each recording.", folded: true),
        ],
        study: { try RolloutStudy($0).findings() })
}

/// The study of rollouts.
struct RolloutStudy {
    static let objectives = [
        (id: "post", words: "the sum of all outputs"), (id: "transcript", words: "what the model writes"),
    ]
    /// The post's objective is what the claim is about; a recording of which nothing is written has no other.
    static let parts: [Part] =
        objectives.map { part($0.id, $0.id, maps: false, .some) } + [part("map", "post", maps: true, .one)]

    private static func part(_ id: String, _ objective: String, maps: Bool, _ extent: PluginPart.Extent) -> Part {
        var part = PluginPart(id, "rollout", ["objective": objective, "maps": "\(maps)"])
        (part.extent, part.context) = (extent, .auto)
        part.isOptional = id != objectives[0].id
        return .plugin(part)
    }

    /// Frames to each side.
    private static let near = 10
    private static let even = "even"

    private let evidence: Evidence
    /// Recordings that hold no speech, or none in a language of the model.
    private let others: Set<String>

    init(_ evidence: Evidence) {
        self.evidence = evidence
        others = Set((evidence.samples.samples.filter { !$0.maySpeak } + evidence.situation.foreign).map(\.name))
    }

    /// Sums over frames of sound, each of which counts alike.
    struct Sums {
        private(set) var frames = 0.0
        /// By the distance in frames.
        private var within: [Int: Double] = [:]
        private var evenly: [Int: Double] = [:]
        private var distance = 0.0
        private var ahead = 0.0
        private var padding = 0.0

        /// Takes in a window; one of which nothing is known is passed over.
        /// - Parameters:
        ///   - row: the window's, in a table `windows` of the plugin.
        ///   - columns: the names of its columns `within …`, by their distance.
        mutating func add(_ row: [V1.PluginCell], of table: TableReader, _ columns: [Int: String]) {
            let count = table.number(row, "frames")
            let shares = columns.mapValues { table.number(row, $0) }
            let others = ["distance (s)", "ahead", "padding"].map { table.number(row, $0) }
            guard count >= 1, count.isFinite, (others + shares.values).allSatisfy(\.isFinite) else { return }
            frames += count
            for (distance, share) in shares {
                within[distance, default: 0] += count * share
                evenly[distance, default: 0] += count * Self.evenShare(within: distance, of: count)
            }
            distance += count * others[0]
            ahead += count * others[1]
            padding += count * others[2]
        }

        /// Of all pairs of so many frames, the share no farther apart than `distance`.
        static func evenShare(within distance: Int, of frames: Double) -> Double {
            let k = Double(distance)
            guard k < frames - 1 else { return 1 }
            return (frames * (2 * k + 1) - k * (k + 1)) / (frames * frames)
        }

        var distances: [Int] { within.keys.sorted() }
        func share(within distance: Int) -> Double { (within[distance] ?? .nan) / frames }
        func even(within distance: Int) -> Double { (evenly[distance] ?? .nan) / frames }
        /// 1 where all lies within, 0 where it is spread evenly.
        func beyondEven(within distance: Int) -> Double {
            (share(within: distance) - even(within: distance)) / (1 - even(within: distance))
        }
        /// Mean seconds.
        var meanDistance: Double { distance / frames }
        var shareAhead: Double { ahead / frames }
        var shareOfPadding: Double { padding / frames }
    }

    /// What the windows of each recording add up to, and of all of them.
    private struct Heard {
        var recordings: [(name: String, sums: Sums)] = []
        var total = Sums()
    }

    private func heard(_ part: String) throws -> Heard {
        var heard = Heard()
        for result in try evidence.typed(part, "windows") where !others.contains(result.file) {
            guard case .table(let table) = result.value else { continue }
            let reader = TableReader(columns: table.columns, rows: table.rows.map(\.cells))
            let columns = Dictionary(
                table.columns.compactMap { name in
                    name.hasPrefix("within ") ? Int(name.dropFirst("within ".count)).map { ($0, name) } : nil
                }, uniquingKeysWith: { first, _ in first })
            var sums = Sums()
            for row in reader.rows {
                sums.add(row, of: reader, columns)
                heard.total.add(row, of: reader, columns)
            }
            if sums.frames > 0 { heard.recordings.append((result.file, sums)) }
        }
        return heard
    }

    func findings() throws -> Findings {
        // Without the post's own objective there is nothing to say.
        if let reason = evidence.unsuitable[Self.objectives[0].id] { throw Unsuitable(reason) }
        var findings = Findings()
        let all = try Self.objectives.map { (id: $0.id, words: $0.words, heard: try heard($0.id)) }
        findings.measures = all.map { measure($0.id, $0.heard) }
        let shown = all.filter { $0.heard.total.frames > 0 }
        guard let first = shown.first else {
            findings.sentence = "No frame of speech rests on anything."
            return findings
        }
        let sums = first.heard.total
        let shares = shown.map { "\($0.heard.total.share(within: Self.near).percent) (for \($0.words))" }
        findings.sentence =
            "Over \(Digits.short(sums.frames)) frames of \(first.heard.recordings.count) recordings, within ±\(Self.near) "
            + "frames of a frame lies \(shares.joined(separator: ", ")) of what it rests on; spread evenly it would be "
            + "\(sums.even(within: Self.near).percent)."
        addFigures(shown.map { ($0.id, $0.heard) }, to: &findings)
        return findings
    }

    private func measure(_ part: String, _ heard: Heard) -> Measure {
        let sums = heard.total
        if sums.frames > 0 {
            return Measure(
                part, sums.beyondEven(within: Self.near), count: Int(exactly: sums.frames.rounded()) ?? 0,
                "frames of speech")
        }
        return Measure(
            part,
            missing: evidence.unsuitable[part] ?? "in no recording heard here a frame of speech rests on anything",
            evidence.unsuitable[part] == nil ? Shortage(ofRecordings: 0, needed: 1) : nil)
    }

    private func addFigures(_ all: [(id: String, heard: Heard)], to findings: inout Findings) {
        guard let first = all.first else { return }
        let distances = first.heard.total.distances
        findings.results.bars(
            "shares", "What a frame rests on, by distance", "Of frames of speech, each of which counts alike",
            unit: "share",
            groups: ("within (frames)", distances.map { "±\($0)" }),
            series: ("", all.map(\.id) + [Self.even]),
            values: distances.map { distance in
                all.map { $0.heard.total.share(within: distance) } + [first.heard.total.even(within: distance)]
            })
        func columns(_ first: [String]) -> [String] {
            first + ["frames", "mean distance (s)"] + distances.map { "within ±\($0)" }
                + ["ahead", "on padding", "beyond even"]
        }
        func cells(_ sums: Sums) -> [ComputedResults.Cell?] {
            let last = [sums.shareAhead, sums.shareOfPadding, sums.beyondEven(within: Self.near)]
            let all = [sums.frames, sums.meanDistance] + distances.map(sums.share(within:)) + last
            return all.map { .number($0) }
        }
        findings.results.table(
            "locality", "Locality", columns: columns(["objective"]),
            rows: all.map { [.text($0.id)] + cells($0.heard.total) })
        findings.results.table(
            "recordings", "Locality by recording", columns: columns(["objective", "recording"]),
            rows: all.flatMap { one in
                one.heard.recordings.map { [.text(one.id), .text($0.name)] + cells($0.sums) }
            })
    }
}
