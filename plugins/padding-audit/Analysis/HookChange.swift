/// How far what a hook point has at frames that overlap sound is another without padding: sums over frames, and over columns.
struct HookChange: Codable {
    /// Upper bounds, in frames before the end of the sound, of what is told apart; the last has all before.
    static let bounds = [5, 10, 25, 50, 100, Int.max]

    /// Frames, Σ‖x − x′‖² and Σ‖x‖², by how far from the end.
    private(set) var frames = [Int](repeating: 0, count: bounds.count)
    private var differences = [Double](repeating: 0, count: bounds.count)
    private var squares = [Double](repeating: 0, count: bounds.count)
    /// Σ of the cosine of x and x′ over frames.
    private var cosine = 0.0
    /// Columns, a recording each time, and those whose largest frame is another.
    private(set) var columns = 0
    private(set) var moved = 0

    init() {}

    /// Takes in one window: `[frames, columns]` each.
    /// - Returns: false where something is not finite; then nothing was added.
    mutating func add(_ whole: [Float], _ masked: UnsafeBufferPointer<Float>, frames count: Int, columns width: Int)
        -> Bool
    {
        var sums = self
        var tops = [(whole: Int, masked: Int)](repeating: (0, 0), count: width)
        for frame in 0..<count {
            let bin = Self.bounds.firstIndex { count - frame <= $0 } ?? Self.bounds.count - 1
            var (difference, square, other, product) = (0.0, 0.0, 0.0, 0.0)
            for column in 0..<width {
                let place = frame * width + column
                let (x, y) = (Double(whole[place]), Double(masked[place]))
                difference += (x - y) * (x - y)
                square += x * x
                other += y * y
                product += x * y
                if whole[place] > whole[tops[column].whole * width + column] { tops[column].whole = frame }
                if masked[place] > masked[tops[column].masked * width + column] { tops[column].masked = frame }
            }
            guard difference.isFinite, square.isFinite, other.isFinite else { return false }
            sums.frames[bin] += 1
            sums.differences[bin] += difference
            sums.squares[bin] += square
            let norms = (square * other).squareRoot()
            sums.cosine += norms > 0 ? product / norms : square == other ? 1 : 0
        }
        sums.columns += width
        sums.moved += tops.count { $0.whole != $0.masked }
        self = sums
        return true
    }

    mutating func add(_ other: HookChange) {
        for bin in frames.indices {
            frames[bin] += other.frames[bin]
            differences[bin] += other.differences[bin]
            squares[bin] += other.squares[bin]
        }
        cosine += other.cosine
        columns += other.columns
        moved += other.moved
    }

    /// Whether the numbers can be what windows add up to.
    var isSound: Bool {
        let count = Self.bounds.count
        return frames.count == count && differences.count == count && squares.count == count
            && frames.allSatisfy { (0..<1 << 48).contains($0) }
            && (differences + squares).allSatisfy { $0.isFinite && $0 >= 0 } && cosine.isFinite
            && (0..<1 << 48).contains(columns) && (0...columns).contains(moved)
    }

    /// ‖x − x′‖ / ‖x‖ over all frames.
    var relative: Double { Self.ratio(differences.reduce(0, +), squares.reduce(0, +)) }

    /// The same of a part of them; NaN where there are none.
    func relative(in bin: Int) -> Double { Self.ratio(differences[bin], squares[bin]) }

    private static func ratio(_ difference: Double, _ square: Double) -> Double {
        square > 0 ? (difference / square).squareRoot() : .nan
    }

    var meanCosine: Double {
        let count = frames.reduce(0, +)
        return count > 0 ? cosine / Double(count) : .nan
    }

    var shareMoved: Double { columns > 0 ? Double(moved) / Double(columns) : .nan }
}
