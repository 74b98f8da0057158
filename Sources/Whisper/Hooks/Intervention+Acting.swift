import Kernels

extension Intervention {
    /// Changes `x`, the activation at `point`.
    /// - Parameters:
    ///   - validFrames: how many frames overlap audio, for what is measured over them.
    ///   - other: the activation of the operation's ``source``, where it has one.
    /// - Throws: ``WhisperError`` (`invalidArgument`) where a tensor does not fit the activation.
    package func apply(
        to x: inout Tensor, at point: HookPoint, _ rows: RowPositions, validFrames: Int?, other: Tensor?
    ) throws {
        let view = ActivationView(x.shape, point.site.layout)
        let chosenRows = chosen(of: view, at: point, rows)
        if usesDictionary { return try applyDictionary(to: &x, at: point, chosen: chosenRows, validFrames) }
        let chosenHeads = heads ?? Array(0..<view.heads), chosenColumns = chosenColumns(of: view)
        let source = try replacement(for: x, at: point, view, chosenRows, rows, validFrames, other)
        let clamps = clamps(of: x, at: point, view, chosenHeads, chosenColumns, validFrames)
        x.withUnsafeMutableBufferPointer { x in
            var noise = NormalNoise(seed: seed(at: point, rows))
            for head in chosenHeads {
                for (index, row) in chosenRows.enumerated() {
                    let slice = UnsafeMutableBufferPointer(
                        rebasing: x[view.offset(row, head)..<view.offset(row, head) + view.width])
                    @inline(__always) func forEach(_ body: (Int) -> Void) {
                        if let chosenColumns {
                            for i in chosenColumns { body(i) }
                        } else {
                            for i in slice.indices { body(i) }
                        }
                    }
                    switch operation {
                    case .zero: forEach { slice[$0] = 0 }
                    case .scale(let factor): forEach { slice[$0] *= factor }
                    case .noise(let deviation, _): forEach { slice[$0] += deviation * noise.next() }
                    case .add(_, let factor):
                        source?.row(index, row, head) { source in forEach { slice[$0] += factor * source[$0] } }
                    case .set, .put, .mean, .substitutePadding, .patch, .patchRows:
                        source?.row(index, row, head) { source in forEach { slice[$0] = source[$0] } }
                    case .clamp: forEach { slice[$0] = clamps[head * view.width + $0]?(slice[$0]) ?? slice[$0] }
                    case .window(let k):
                        let query = rows.position(ofRow: row)
                        for key in slice.indices where abs(query - key) > k { slice[key] = -.infinity }
                    case .splice, .latent, .resample: break  // before this loop; before the pass
                    }
                }
            }
        }
    }

    /// The rows of an activation that it changes.
    func chosen(of view: ActivationView, at point: HookPoint, _ rows: RowPositions) -> [Int] {
        var positions = positions(at: point)
        if case .patchRows(let tensors, nil) = operation, let tensor = tensors[point] {
            // Of another run, only as many positions as were kept.
            positions = (positions ?? 0..<Int.max).clamped(to: 0..<tensor.shape[point.positionAxis])
        }
        return (0..<view.positions).filter { positions?.contains(rows.position(ofRow: $0)) ?? true }
    }

    /// Nil for all. A context that is shorter than the model's has fewer keys.
    func chosenColumns(of view: ActivationView) -> [Int]? { columns.map { $0.filter { $0 < view.width } } }

    /// The values that are added or put in, where the operation has some.
    private func replacement(
        for x: Tensor, at point: HookPoint, _ view: ActivationView, _ chosen: [Int], _ rows: RowPositions,
        _ validFrames: Int?, _ other: Tensor?
    ) throws -> ReplacementRows? {
        switch operation {
        case .add(let tensor, _), .set(let tensor):
            return try ReplacementRows(tensor, for: view, chosen: chosen.count, at: point)
        case .put(let tensors):
            return try tensors[point].map { try ReplacementRows($0, for: view, chosen: chosen.count, at: point) }
        case .substitutePadding:
            return try other.map { try ReplacementRows($0, for: view, rows: chosen, at: point) }
        case .patch(let input, let from):
            guard let other else {
                throw WhisperError(.failedPrecondition, "\(point) was not computed for \(input.name)")
            }
            let same = from.map { Self.stretched($0.positions(at: point), to: chosen.count) } ?? chosen
            return try ReplacementRows(other, for: view, rows: same, at: point)
        case .patchRows(let tensors, let from):
            let same =
                from.map { Self.stretched($0.positions(at: point), to: chosen.count) }
                ?? chosen.map { rows.position(ofRow: $0) }
            return try tensors[point].map { try ReplacementRows($0, for: view, rows: same, at: point) }
        case .mean:
            let valid = validFrames.flatMap(point.validPositions) ?? .max
            let axis = point.positionAxis
            let mean = Reduction.mean.applied(to: x, axis: axis, first: min(valid, x.shape[axis]))
            return try ReplacementRows(mean, for: view, chosen: chosen.count, at: point)
        case .resample(let inputs, _):
            throw WhisperError(.failedPrecondition, "no recording of \(inputs.name) was drawn for this pass")
        case .zero, .scale, .noise, .clamp, .window, .splice, .latent: return nil
        }
    }

    /// Positions of another run for so many of this one: each as often as it takes.
    private static func stretched(_ positions: Range<Int>, to count: Int) -> [Int] {
        (0..<count).map { positions.lowerBound + $0 * positions.count / count }
    }

    private func seed(at point: HookPoint, _ rows: RowPositions) -> UInt64 {
        guard case .noise(_, let seed) = operation else { return 0 }
        // Different noise at every place and position, the same in every run.
        return point.name.utf8.reduce(seed &+ UInt64(rows.first) &* 0x9E37_79B9_7F4A_7C15) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
    }

    /// The limits of each column of each head, at head × width + column; nil for columns that are not chosen.
    func clamps(
        of x: Tensor, at point: HookPoint, _ view: ActivationView, _ heads: [Int], _ columns: [Int]?,
        _ validFrames: Int?
    ) -> [ColumnClamp?] {
        guard case .clamp(let lower, let upper) = operation else { return [] }
        let valid = min(validFrames.flatMap(point.validPositions) ?? .max, view.positions)
        var clamps = [ColumnClamp?](repeating: nil, count: view.heads * view.width)
        x.withUnsafeBufferPointer { x in
            for head in heads {
                for column in columns ?? Array(0..<view.width) {
                    let place = head * view.width + column
                    clamps[place] = ColumnClamp(lower, upper, at: point, column: place) {
                        (0..<valid).map { x[view.offset($0, head) + column] }
                    }
                }
            }
        }
        return clamps
    }
}
