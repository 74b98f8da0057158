/// How near what frames rest on lies: sums over destination frames that overlap audio, each of whose rows counts alike.
struct Locality: Codable, Equatable {
    /// Distances, in frames, whose share of the mass within each is kept.
    static let distances = [1, 5, 10, 20, 50, 75, 100, 250, 500]

    private(set) var rows = 0
    private var within = [Double](repeating: 0, count: distances.count)
    private var distance = 0.0
    private var padding = 0.0
    private var behind = 0.0

    init() {}

    /// Takes in what one frame rests on; a frame that rests on nothing is passed over.
    /// - Parameters:
    ///   - sources: a row of R − I, by frame.
    ///   - valid: frames that overlap audio.
    mutating func add(_ sources: [Float], destination: Int, valid: Int) {
        let total = sources.reduce(0.0) { $0 + Double($1) }
        guard total > 0, total.isFinite else { return }
        rows += 1
        for (source, value) in sources.enumerated() where value > 0 {
            let share = Double(value) / total, gap = abs(source - destination)
            distance += share * Double(gap)
            if source >= valid { padding += share }
            if source > destination { behind += share }
            for (index, limit) in Self.distances.enumerated() where gap <= limit { within[index] += share }
        }
    }

    mutating func add(_ other: Locality) {
        rows += other.rows
        distance += other.distance
        padding += other.padding
        behind += other.behind
        for index in within.indices { within[index] += other.within[index] }
    }

    /// Whether the numbers can be what ``add(_:destination:valid:)`` makes.
    var isSound: Bool {
        let all = within + [distance, padding, behind]
        return rows >= 0 && within.count == Self.distances.count && all.allSatisfy { $0.isFinite && $0 >= 0 }
    }

    private func mean(_ sum: Double) -> Double { rows > 0 ? sum / Double(rows) : .nan }

    /// Means over rows: seconds between a frame and what it rests on.
    var meanDistance: Double { mean(distance) / 50 }
    /// Shares of the mass.
    var shareOfPadding: Double { mean(padding) }
    var shareAhead: Double { mean(behind) }
    var sharesWithin: [Double] { within.map(mean) }
}
