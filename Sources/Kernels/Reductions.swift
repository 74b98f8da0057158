import Foundation

/// What a row of numbers comes to.
public enum Reductions {
    /// The largest element; −∞ of none. A NaN may be passed over.
    public static func largest(
        _ x: UnsafeBufferPointer<Float>, using implementation: KernelImplementation = .current
    ) -> Float {
        guard let base = x.baseAddress else { return -.infinity }
        if let table = implementation.table { return table.largest(base, x.count) }
        return x.reduce(-.infinity) { $1 > $0 ? $1 : $0 }
    }

    /// Σ exp(xᵢ − shift); no element may be above `shift`. NaN where an element is.
    public static func sumOfExponentials(
        _ x: UnsafeBufferPointer<Float>, shift: Float, using implementation: KernelImplementation = .current
    ) -> Double {
        guard let base = x.baseAddress else { return 0 }
        if let table = implementation.table { return table.sumOfExponentials(base, x.count, shift) }
        return x.reduce(0) { $0 + exp(Double($1) - Double(shift)) }
    }

    /// The place of the first of the largest elements; 0 of none.
    public static func indexOfLargest(
        _ x: UnsafeBufferPointer<Float>, using implementation: KernelImplementation = .current
    ) -> Int {
        let most = largest(x, using: implementation)
        return x.firstIndex(of: most) ?? 0
    }
}
