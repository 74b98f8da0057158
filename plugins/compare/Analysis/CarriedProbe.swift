import PluginDraws

/// A linear probe of one model, and how well it reads the other through a linear map between them.
///
/// The probe is a least-squares classifier (``Ridge`` on one column for each class), the map is ``Ridge`` from the other's activations to
/// these. Both learn on one part of the rows and are judged on the other, whose speakers are none of the first part's.
struct CarriedProbe {
    static let penalty = 0.01

    /// Accuracies on the rows that were kept.
    let own, other, carried: Double
    /// Carried by a map that was learned of rows in another order.
    let null: Double
    /// The most frequent class of the first part.
    let majority: Double
    let classes: Int
    let trained, judged: Int

    /// Rows with a label, and how they are divided.
    struct Rows {
        /// Of each row, in the order of both samples' rows.
        let classes: [Int]
        let classCount: Int
        let train, test: [Int]

        /// - Parameters:
        ///   - labels: of each row; "" for none.
        ///   - groups: rows of one group stay together.
        ///   - least: rows that a label must have.
        /// - Returns: nil where fewer than two classes are left, or a part is empty.
        init?(_ labels: [String], groups: [String], least: Int) {
            var counts: [String: Int] = [:]
            for label in labels where !label.isEmpty { counts[label, default: 0] += 1 }
            let names = counts.filter { $0.value >= least }.keys.sorted()
            let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
            classes = labels.map { numbers[$0] ?? -1 }
            classCount = names.count
            // Three of ten groups are kept for judging, whichever those are by their names' hashes.
            let order = Set(groups).sorted { Self.key($0) < Self.key($1) }
            let kept = Set(order.prefix(max(1, order.count * 3 / 10)))
            let labelled = labels.indices.filter { numbers[labels[$0]] != nil }
            train = labelled.filter { !kept.contains(groups[$0]) }
            test = labelled.filter { kept.contains(groups[$0]) }
            guard classCount > 1, !train.isEmpty, !test.isEmpty, order.count > 1 else { return nil }
        }

        private static func key(_ name: String) -> UInt64 { Hashing.key(seed: 0, purpose: "carried probe", name) }
    }

    /// - Parameters:
    ///   - own, other: standardised columns of the same rows.
    init(_ own: Columns, _ other: Columns, _ rows: Rows, draws: inout SplitMix) {
        let (train, test, classes) = (rows.train, rows.test, rows.classes)
        (trained, judged, self.classes) = (train.count, test.count, rows.classCount)
        var counts = [Int](repeating: 0, count: rows.classCount)
        for row in train { counts[classes[row]] += 1 }
        let most = counts.indices.reduce(0) { counts[$1] > counts[$0] ? $1 : $0 }
        majority = Double(test.count { classes[$0] == most }) / Double(test.count)

        func targets() -> Columns {
            Columns(
                train.flatMap { row in (0..<rows.classCount).map { $0 == classes[row] ? Float(1) : 0 } },
                width: rows.classCount)
        }
        let shares = counts.map { Double($0) / Double(train.count) }
        func accuracy(_ columns: Columns, _ probe: [Double]) -> Double {
            let right = test.count { row in
                let scores = columns.applied(probe, to: row, width: rows.classCount)
                let places = scores.indices
                // Targets were centred, so the mean comes back.
                let best = places.reduce(0) { scores[$1] + shares[$1] > scores[$0] + shares[$0] ? $1 : $0 }
                return best == classes[row]
            }
            return Double(right) / Double(test.count)
        }
        let ownTrain = own.taking(train), otherTrain = other.taking(train), wanted = targets()
        let probe = Ridge.fit(ownTrain, wanted, penalty: Self.penalty)
        self.own = accuracy(own, probe)
        self.other = accuracy(other, Ridge.fit(otherTrain, wanted, penalty: Self.penalty))
        // Both maps in a row: the other's activations become these, and these become scores.
        func carried(_ from: Columns) -> Double {
            let map = Ridge.fit(from, ownTrain, penalty: Self.penalty)
            return accuracy(other, Self.product(map, other.width, own.width, probe, rows.classCount))
        }
        self.carried = carried(otherTrain)
        null = carried(otherTrain.permuted(Self.order(train.count, &draws)))
    }

    /// The numbers below `count` in a drawn order (Fisher and Yates, by Durstenfeld).
    static func order(_ count: Int, _ draws: inout SplitMix) -> [Int] {
        var order = Array(0..<count)
        for place in stride(from: count - 1, to: 0, by: -1) { order.swapAt(place, draws.next(below: place + 1)) }
        return order
    }

    /// Of [rows, inner] and [inner, columns].
    private static func product(
        _ a: [Double], _ rows: Int, _ inner: Int, _ b: [Double], _ columns: Int
    ) -> [Double] {
        var product = [Double](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            for k in 0..<inner {
                let scale = a[row * inner + k]
                for column in 0..<columns { product[row * columns + column] += scale * b[k * columns + column] }
            }
        }
        return product
    }
}

extension Columns {
    /// Some of the rows, as they are.
    func taking(_ places: [Int]) -> Columns {
        Columns(alreadyCentred: places.flatMap { values[$0 * width..<($0 + 1) * width] }, width: width)
    }

    /// A row times a matrix [width, columns].
    func applied(_ matrix: [Double], to row: Int, width columns: Int) -> [Double] {
        var result = [Double](repeating: 0, count: columns)
        for k in 0..<width {
            let value = Double(values[row * width + k])
            for column in 0..<columns { result[column] += value * matrix[k * columns + column] }
        }
        return result
    }
}
