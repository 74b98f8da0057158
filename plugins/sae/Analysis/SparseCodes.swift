import Dictionaries
import Kernels

/// The latents of a batch that have a code, or whose threshold may learn: the few that there are, row by row.
struct SparseCodes {
    let rows: Int, latents: Int
    /// Where each row's entries begin, [rows + 1].
    private(set) var starts: [Int] = [0]
    /// The latent of each entry, in order within a row.
    private(set) var places: [Int32] = []
    /// The pre-activation of each entry; ``Penalty`` makes codes of them, 0 where a threshold is not passed.
    var values: [Float] = []

    var count: Int { places.count }

    /// Rows that are looked through at a time.
    private static let rowBlock = 16

    /// - Parameters:
    ///   - pre: [rows, latents].
    ///   - thresholds: JumpReLU's, and what below them counts as well; empty for the other variants.
    init(_ pre: [Float], latents: Int, _ settings: TrainingSettings, thresholds: [Float]) {
        self.latents = latents
        rows = pre.count / latents
        var border: (bound: Float, equal: Int) = (0, 0)
        let reach = thresholds.map { $0 - settings.bandwidth / 2 }
        if settings.variant == .batchTopK { border = Self.border(settings.k * rows, pre, latents) }
        let (rows, total) = (rows, latents)
        FloatMemory.withScratch(pre.count) { scratch in
            scratch.withMemoryRebound(to: Int32.self, capacity: pre.count) { found in
                var counts = [Int](repeating: 0, count: rows)
                func gather(
                    _ pre: UnsafePointer<Float>, _ reach: UnsafePointer<Float>, _ counts: UnsafeMutablePointer<Int>
                ) {
                    Parallel.blocks(of: Self.rowBlock, in: rows) { range in
                        for row in range {
                            let (x, out) = (pre + row * total, found + row * total)
                            counts[row] =
                                switch settings.variant {
                                case .topK: LargestValues.find(settings.k, of: x, total, into: out)
                                case .batchTopK, .l1: Selection.collect(x, count: total, above: border.bound, into: out)
                                case .jumpReLU: Selection.collect(x, count: total, aboveEach: reach, into: out)
                                }
                        }
                    }
                }
                gather(pre, reach, &counts)
                take(found, counts, pre)
            }
        }
        if settings.variant == .batchTopK { keepFirst(of: border) }
    }

    private mutating func take(_ found: UnsafePointer<Int32>, _ counts: [Int], _ pre: UnsafePointer<Float>) {
        starts.reserveCapacity(rows + 1)
        for count in counts { starts.append(starts[starts.count - 1] + count) }
        places = [Int32](repeating: 0, count: starts[rows])
        values = [Float](repeating: 0, count: starts[rows])
        func copy(_ places: UnsafeMutablePointer<Int32>, _ values: UnsafeMutablePointer<Float>) {
            Parallel.blocks(of: Self.rowBlock, in: rows) { range in
                for row in range {
                    let (of, x, to) = (found + row * latents, pre + row * latents, starts[row])
                    for i in 0..<counts[row] {
                        places[to + i] = of[i]
                        values[to + i] = x[Int(of[i])]
                    }
                }
            }
        }
        copy(&places, &values)
    }

    /// The latents of a row's entries, and the number of the first.
    func withEntries<R>(_ row: Int, _ body: (UnsafeBufferPointer<Int32>, Int) -> R) -> R {
        places.withUnsafeBufferPointer {
            body(UnsafeBufferPointer(rebasing: $0[starts[row]..<starts[row + 1]]), starts[row])
        }
    }

    /// Numbers of the entries in a matrix of zeros, [rows, latents].
    func whole(_ numbers: [Float]) -> [Float] {
        [Float](unsafeUninitializedCapacity: rows * latents) { matrix, count in
            count = rows * latents
            guard let matrix = matrix.baseAddress else { return }
            eachRow { row, entries in
                (matrix + row * latents).update(repeating: 0, count: latents)
                for entry in entries { matrix[row * latents + Int(places[entry])] = numbers[entry] }
            }
        }
    }

    /// What a matrix [rows, latents] has at the entries.
    func gathered(_ matrix: [Float]) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { numbers, count in
            count = self.count
            guard let numbers = numbers.baseAddress else { return }
            eachRow { row, entries in
                for entry in entries { numbers[entry] = matrix[row * latents + Int(places[entry])] }
            }
        }
    }

    /// Calls with each row and the numbers of its entries, on all threads.
    private func eachRow(_ body: (Int, Range<Int>) -> Void) {
        Parallel.blocks(of: Self.rowBlock, in: rows) { range in
            for row in range { body(row, starts[row]..<starts[row + 1]) }
        }
    }

    // MARK: - BatchTopK

    /// The smallest of the `count` largest positive values of a batch less a bit, and how many that are equal to the smallest are kept:
    /// all that are above the bound where that is `Int.max`.
    ///
    /// The largest of groups of a few values say what it is at least; then only the values above that are looked at.
    private static func border(_ count: Int, _ pre: [Float], _ latents: Int) -> (bound: Float, equal: Int) {
        let rows = pre.count / latents
        let span = max(1, pre.count / (4 * max(count, 1)))
        var least: Float = 0
        var groups = [Int](repeating: 0, count: rows)
        return FloatMemory.withScratch(pre.count) { room in
            func each(_ body: (Int, UnsafePointer<Float>) -> Int) {
                func run(_ pre: UnsafePointer<Float>, _ groups: UnsafeMutablePointer<Int>) {
                    Parallel.blocks(of: rowBlock, in: rows) { range in
                        for row in range { groups[row] = body(row, pre + row * latents) }
                    }
                }
                run(pre, &groups)
            }
            /// Puts what each row has in `room` side by side; how many there are.
            func close() -> Int {
                var end = 0
                for row in 0..<rows {
                    if end != row * latents { (room + end).update(from: room + row * latents, count: groups[row]) }
                    end += groups[row]
                }
                return end
            }
            if span >= 2 {
                each { Selection.maxima($1, count: latents, span: span, into: room + $0 * latents) }
                let all = close()
                if all > count { least = max(0, LargestValues.ranked(count, of: room, all).nextDown) }
            }
            each { row, x in
                let out = room + row * latents
                return out.withMemoryRebound(to: Int32.self, capacity: latents) { places in
                    let found = Selection.collect(x, count: latents, above: least, into: places)
                    for i in 0..<found { out[i] = x[Int(places[i])] }
                    return found
                }
            }
            let all = close()
            guard all > count else { return (least, .max) }
            let smallest = LargestValues.ranked(count, of: room, all)
            return (smallest.nextDown, count - (0..<all).reduce(0) { $0 + (room[$1] > smallest ? 1 : 0) })
        }
    }

    /// Of the values that are equal at the border the first stay.
    private mutating func keepFirst(of border: (bound: Float, equal: Int)) {
        guard border.equal != .max else { return }
        let smallest = border.bound.nextUp
        let all = values.reduce(0) { $0 + ($1 == smallest ? 1 : 0) }
        guard all > border.equal else { return }
        var left = border.equal, kept = 0, begin = 0
        for row in 0..<rows {
            for entry in begin..<starts[row + 1] {
                if values[entry] == smallest {
                    guard left > 0 else { continue }
                    left -= 1
                }
                (places[kept], values[kept]) = (places[entry], values[entry])
                kept += 1
            }
            begin = starts[row + 1]
            starts[row + 1] = kept
        }
        places.removeLast(places.count - kept)
        values.removeLast(values.count - kept)
    }
}

/// The same entries latent by latent, with what they say about the latent's weights.
struct CodesByLatent {
    /// Where each latent's entries begin, [latents + 1].
    let starts: [Int]
    /// The row of each entry, its code, and the slope of the loss along its pre-activation.
    let rows: [Int32]
    let codes: [Float], slopes: [Float]

    init(_ codes: SparseCodes, slopes: [Float]) {
        var starts = [Int](repeating: 0, count: codes.latents + 1)
        for place in codes.places { starts[Int(place) + 1] += 1 }
        for latent in 0..<codes.latents { starts[latent + 1] += starts[latent] }
        var next = starts
        var rows = [Int32](repeating: 0, count: codes.count)
        var (values, turned) = (codes.values, slopes)
        for row in 0..<codes.rows {
            for entry in codes.starts[row]..<codes.starts[row + 1] {
                let latent = Int(codes.places[entry])
                let to = next[latent]
                next[latent] += 1
                rows[to] = Int32(row)
                values[to] = codes.values[entry]
                turned[to] = slopes[entry]
            }
        }
        (self.starts, self.rows, self.codes, self.slopes) = (starts, rows, values, turned)
    }
}
