import Foundation
import Messages

/// Whether two runs gave the same.
enum ResultComparison {
    /// - Parameter tolerance: how far numbers may differ, relative to the larger one of an array, or 0 for not at all.
    /// - Returns: the first difference, or nil.
    static func difference(_ a: [V1.PluginResult], _ b: [V1.PluginResult], tolerance: Double) -> String? {
        guard a.count == b.count else { return "\(a.count) results on one side, \(b.count) on the other" }
        for (number, (a, b)) in zip(a, b).enumerated() {
            guard a.outputId == b.outputId, a.file == b.file else {
                return
                    "result \(number) is \(a.outputId) of '\(a.file)' on one side, "
                    + "\(b.outputId) of '\(b.file)' on the other"
            }
            let (left, right) = (Flat(a), Flat(b))
            guard left.texts == right.texts, left.numbers.count == right.numbers.count else {
                return "the result \(a.outputId) differs in its shape or its texts"
            }
            // Sums in another order differ by the scale of what was summed, not of what is left.
            let scale = left.numbers.lazy.filter(\.isFinite).map(abs).max() ?? 0
            for (x, y) in zip(left.numbers, right.numbers) where !(x == y || x.isNaN && y.isNaN) {
                guard abs(x - y) <= tolerance * max(scale, abs(y)) else {
                    return "the result \(a.outputId) has \(x) on one side, \(y) on the other"
                }
            }
        }
        return nil
    }

    /// A result as numbers and texts.
    private struct Flat {
        var numbers: [Double] = []
        var texts: [String] = []

        init(_ result: V1.PluginResult) {
            switch result.value {
            case .scalar(let value)?: numbers = [value]
            case .text(let text)?: texts = [text]
            case .array(let array)?:
                texts = array.axes.flatMap { [$0.name, $0.unit, "\($0.first)", "\($0.step)"] + $0.labels }
                guard let tensor = array.tensor else { return }
                texts.append("\(tensor.shape)")
                numbers = tensor.dtype == .f64 ? Self.numbers(tensor.data, Double.self) : Self.floats(tensor.data)
            case .table(let table)?:
                texts = table.columns
                for cell in table.rows.flatMap(\.cells) {
                    switch cell.value {
                    case .number(let number)?: numbers.append(number)
                    case .text(let text)?: texts.append(text)
                    case nil: texts.append("")
                    }
                }
            case .events(let events)?:
                texts = events.events.map(\.label)
                numbers = events.events.flatMap { [$0.start, $0.end, $0.value] }
            case .audio(let clip)?:
                texts = ["\(clip.sampleRate)"]
                numbers = Self.floats(clip.samples)
            case nil: break
            }
        }

        private static func floats(_ bytes: [UInt8]) -> [Double] { numbers(bytes, Float.self).map(Double.init) }

        private static func numbers<N>(_ bytes: [UInt8], _: N.Type) -> [N] {
            let size = MemoryLayout<N>.size
            return bytes.withUnsafeBytes { bytes in
                (0..<bytes.count / size).map { bytes.loadUnaligned(fromByteOffset: $0 * size, as: N.self) }
            }
        }
    }
}
