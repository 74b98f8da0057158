/// A share in words, "12.5 %"; with a sign where it is a change.
package func percent(_ rate: Double, signed: Bool = false) -> String {
    guard rate.isFinite, abs(rate) < 1e12 else { return "unknown" }
    let tenths = Int((abs(rate) * 1000).rounded())
    return "\(rate < 0 ? "−" : signed ? "+" : "")\(tenths / 10).\(tenths % 10) %"
}
