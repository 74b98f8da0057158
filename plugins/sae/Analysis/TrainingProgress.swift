/// The course of a training, at most ``most`` points: when there would be more, neighbours become one.
struct TrainingProgress: Codable, Equatable, Sendable {
    static let most = 512

    struct Point: Codable, Equatable, Sendable {
        var step = 0
        var loss = 0.0, active = 0.0, explained = 0.0, dead = 0.0
    }

    private(set) var points: [Point] = []
    /// Steps that a point stands for.
    private(set) var every = 8
    private var open = Point()
    private var gathered = 0

    var isSound: Bool {
        points.count <= Self.most && (1...1 << 40).contains(every) && (0..<every).contains(gathered)
            && (points + [open]).allSatisfy { point in
                point.step >= 0 && [point.loss, point.active, point.explained, point.dead].allSatisfy(\.isFinite)
            }
    }

    mutating func add(_ outcome: Objective.Outcome, step: Int, positions: Int, dead: Double) {
        open.step = step
        open.loss += outcome.loss
        open.active += Double(outcome.active) / Double(positions)
        open.explained += outcome.total > 0 ? 1 - outcome.residual / outcome.total : 0
        open.dead += dead
        gathered += 1
        guard gathered == every else { return }
        points.append(open.divided(by: Double(every)))
        (open, gathered) = (Point(), 0)
        guard points.count == Self.most else { return }
        points = stride(from: 0, to: points.count, by: 2).map { points[$0].mean(with: points[$0 + 1]) }
        every *= 2
    }
}

extension TrainingProgress.Point {
    func divided(by count: Double) -> Self {
        Self(
            step: step, loss: loss / count, active: active / count, explained: explained / count, dead: dead / count)
    }

    func mean(with later: Self) -> Self {
        Self(
            step: later.step, loss: (loss + later.loss) / 2, active: (active + later.active) / 2,
            explained: (explained + later.explained) / 2, dead: (dead + later.dead) / 2)
    }
}
