import Foundation
import Kernels

/// An activation as positions × heads × width, whatever its axes.
struct ActivationView {
    let positions: Int, heads: Int, width: Int
    private let positionStride: Int, headStride: Int

    init(_ shape: [Int], _ layout: HookSite.Layout) {
        switch layout {
        case .rows:
            (positions, heads, width) = (shape[0], 1, shape[1])
            (positionStride, headStride) = (width, 0)
        case .perHead:
            (positions, heads, width) = (shape[0], shape[1], shape[2])
            (positionStride, headStride) = (heads * width, width)
        case .headsFirst:
            (positions, heads, width) = (shape[1], shape[0], shape[2])
            (positionStride, headStride) = (width, positions * width)
        }
    }

    /// The same with other positions.
    init(positions: Int, of view: ActivationView, _ layout: HookSite.Layout) {
        self.init(
            layout == .headsFirst ? [view.heads, positions, view.width] : [positions, view.heads, view.width],
            layout == .headsFirst ? .headsFirst : .perHead)
    }

    func offset(_ position: Int, _ head: Int) -> Int { position * positionStride + head * headStride }
}

/// Values to put into an activation: one row for all positions, one for each chosen position, or one for every position.
struct ReplacementRows {
    private let values: Tensor
    private let view: ActivationView
    private let rows: Rows
    private enum Rows { case one, chosen, every, of([Int]) }

    init(_ tensor: Tensor, for view: ActivationView, chosen: Int, at point: HookPoint) throws {
        let one = view.heads * view.width
        values = tensor
        switch tensor.count {
        case one: rows = .one
        case chosen * one: rows = .chosen
        case view.positions * one: rows = .every
        default:
            throw WhisperError(
                .invalidArgument,
                "a tensor of shape \(tensor.shape) does not fit \(point): expected \(one) values, for all positions "
                    + "alike, or \(chosen) or \(view.positions) times as many")
        }
        let count =
            switch rows {
            case .one: 1;
            case .chosen: chosen;
            case .every, .of: view.positions
            }
        self.view = ActivationView(positions: count, of: view, point.site.layout)
    }

    /// Of another run's activation, row `rows[i]` for the i-th chosen position.
    init(_ tensor: Tensor, for view: ActivationView, rows: [Int], at point: HookPoint) throws {
        let one = view.heads * view.width, axis = point.positionAxis
        let count = axis < tensor.rank ? tensor.shape[axis] : 0
        guard count * one == tensor.count, rows.allSatisfy({ $0 < count }) else {
            throw WhisperError(
                .invalidArgument,
                "another run has \(tensor.shape) at \(point), and position \(rows.max() ?? 0) of \(view.heads) × \(view.width) "
                    + "values is asked of it")
        }
        (values, self.rows) = (tensor, .of(rows))
        self.view = ActivationView(positions: count, of: view, point.site.layout)
    }

    /// Calls `body` with the columns for the `index`-th chosen position, row `row`.
    func row(_ index: Int, _ row: Int, _ head: Int, _ body: (UnsafeBufferPointer<Float>) -> Void) {
        let from =
            switch rows {
            case .one: 0;
            case .chosen: index;
            case .every: row;
            case .of(let rows): rows[index]
            }
        values.withUnsafeBufferPointer { values in
            let offset = view.offset(from, head)
            body(UnsafeBufferPointer(rebasing: values[offset..<offset + view.width]))
        }
    }
}

/// Normal deviates by Box and Muller's method over SplitMix64.
struct NormalNoise {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> Float {
        let radius = (-2 * log(max(uniform(), 1e-300))).squareRoot()
        return Float(radius * cos(2 * .pi * uniform()))
    }

    private mutating func uniform() -> Double { Double(nextBits() >> 11) * 0x1p-53 }

    mutating func nextBits() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
