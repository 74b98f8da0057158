import Foundation

/// Samples of one quantity, and what they say.
struct Measurement {
    var name: String
    var unit: String
    /// What it is beside: the machine's limit, or a peer in the same run.
    var note = ""
    var samples: [Double]

    private var sorted: [Double] { samples.sorted() }
    var median: Double { quantile(0.5) }
    var p99: Double { quantile(0.99) }
    /// Half of the samples lie between these.
    var quartiles: (Double, Double) { (quantile(0.25), quantile(0.75)) }

    func quantile(_ q: Double) -> Double {
        let sorted = sorted
        guard !sorted.isEmpty else { return .nan }
        let place = q * Double(sorted.count - 1)
        let low = Int(place)
        let high = min(low + 1, sorted.count - 1)
        return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
    }

    var json: [String: Any] {
        [
            "name": name, "unit": unit, "note": note, "samples": samples.count, "median": median, "p99": p99,
            "q1": quartiles.0, "q3": quartiles.1,
        ]
    }

    var row: String {
        func number(_ value: Double) -> String {
            value >= 1000 ? String(format: "%.0f", value) : String(format: value >= 10 ? "%.1f" : "%.2f", value)
        }
        let columns = [
            name.padding(toLength: 58, withPad: " ", startingAt: 0), right(number(median), 9),
            right(number(quartiles.0) + "–" + number(quartiles.1), 17), right(number(p99), 9), " " + unit,
        ]
        return columns.joined() + (note.isEmpty ? "" : "  (\(note))")
    }

    static let header =
        "".padding(toLength: 58, withPad: " ", startingAt: 0) + right("median", 9) + right("quartiles", 17)
        + right("p99", 9)
}

private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(1, width - text.count)) + text
}

/// Seconds that `body` takes.
func seconds(_ body: () throws -> Void) rethrows -> Double {
    let began = ContinuousClock.now
    try body()
    return (ContinuousClock.now - began) / .seconds(1)
}

func seconds(_ body: () async throws -> Void) async rethrows -> Double {
    let began = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - began) / .seconds(1)
}
