import Foundation

/// Work of several contenders, done in turns, so that whatever else the machine does falls on all alike.
public struct Rounds {
    /// One row of a table to be.
    public struct Entry {
        public var name: String
        public var contender: Contender
        public var work: Work
        /// The row that this one is divided by, round by round.
        public var reference: String?
        /// What the table calls that row, where its name is long.
        public var referenceLabel: String?
        /// What the work cannot do without.
        public var limit: MachinePeak.Limit?
        /// Pieces that the work consists of, where the time of one is told: tokens, prompts.
        public var pieces = 1.0
        public var note = ""

        public init(
            _ name: String, _ contender: Contender, _ work: Work, reference: String? = nil,
            limit: MachinePeak.Limit? = nil, pieces: Double = 1, note: String = ""
        ) {
            self.name = name
            self.contender = contender
            self.work = work
            self.reference = reference
            self.limit = limit
            self.pieces = pieces
            self.note = note
        }
    }

    /// What an entry gave: seconds of each round, and the reply of the round that warmed up.
    public struct Outcome {
        public var entry: Entry
        public var seconds: [Double] = []
        public var first: WorkReply?
        public var failure: String?
    }

    public var rounds: Int
    /// Seconds between two pieces of work: threads of the one before may still look for more.
    public var pause: Double
    /// Done at the beginning of each round, beside the entries: the machine's limits.
    public var eachRound: () -> Void

    public init(rounds: Int, pause: Double = 0.05, eachRound: @escaping () -> Void = {}) {
        self.rounds = rounds
        self.pause = pause
        self.eachRound = eachRound
    }

    /// Each entry once to warm up, then in every round once, the order turning by one. An entry that fails is out; the
    /// others go on.
    public func run(_ entries: [Entry]) -> [Outcome] {
        var outcomes = entries.map { Outcome(entry: $0) }
        for round in -1..<rounds {
            if round >= 0 { eachRound() }
            for place in outcomes.indices {
                let index = (place + max(round, 0)) % outcomes.count
                guard outcomes[index].failure == nil else { continue }
                if pause > 0 { usleep(UInt32(pause * 1e6)) }
                do {
                    let reply = try outcomes[index].entry.contender.run(outcomes[index].entry.work)
                    guard let seconds = reply.seconds, seconds > 0 else {
                        throw BenchError("\(outcomes[index].entry.contender.name) gave no time")
                    }
                    if round < 0 { outcomes[index].first = reply } else { outcomes[index].seconds.append(seconds) }
                } catch {
                    outcomes[index].failure = "\(error)"
                    // Half a series beside whole ones would compare rounds that are not the same.
                    outcomes[index].seconds = []
                }
            }
        }
        return outcomes
    }
}

/// How seconds are told.
public struct Quantity: Sendable {
    public var unit: String
    /// Of the seconds of one piece.
    public var value: @Sendable (_ seconds: Double, _ entry: Rounds.Entry) -> Double

    public init(_ unit: String, _ value: @escaping @Sendable (Double, Rounds.Entry) -> Double) {
        self.unit = unit
        self.value = value
    }

    public static let milliseconds = Quantity("ms") { seconds, _ in seconds * 1e3 }
    /// Operations a second, of entries that have them as their limit.
    public static let rate = Quantity("GFLOP/s") { seconds, entry in
        guard case .operations(let count)? = entry.limit else { return .nan }
        return count / seconds / 1e9
    }
}

extension [Rounds.Outcome] {
    /// Rows in the order of the entries.
    /// - Parameters:
    ///   - peak: the machine's, for the limit of each entry.
    ///   - note: said beside a row, besides its own.
    func measurements(
        _ quantity: Quantity = .milliseconds, peak: MachinePeak? = nil, note: (Rounds.Outcome) -> String = { _ in "" }
    ) -> [Measurement] {
        let plain = map { outcome in
            let entry = outcome.entry
            let notes =
                outcome.failure.map { ["left out: \($0)"] }
                ?? [entry.note, note(outcome)].filter { !$0.isEmpty }
            let ideal = peak.flatMap { peak in entry.limit.map { peak.leastSeconds($0) } }
            return Measurement(
                name: entry.name, unit: quantity.unit, note: notes.joined(separator: "; "),
                samples: outcome.seconds.map { quantity.value($0 / entry.pieces, entry) },
                ideal: ideal.map { quantity.value($0 / entry.pieces, entry) })
        }
        return zip(self, plain).map { outcome, row in
            guard let name = outcome.entry.reference, name != row.name,
                let reference = plain.first(where: { $0.name == name })
            else { return row }
            return row.compared(to: reference, label: outcome.entry.referenceLabel)
        }
    }

    /// How far each result is from that of the row `reference`, in words.
    func distance(to reference: String) -> (Rounds.Outcome) -> String {
        let known = first { $0.entry.name == reference }?.first
        return { outcome in
            guard outcome.entry.name != reference, let known, let distance = outcome.first?.distance(from: known)
            else { return "" }
            return distance == 0 ? "equal result" : "result differs by \(String(format: "%.0e", distance))"
        }
    }
}
