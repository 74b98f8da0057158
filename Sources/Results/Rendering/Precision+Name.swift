import Messages

extension V1.ModelRef.Precision {
    /// As `--precision` takes it.
    package var name: String {
        switch self {
        case .exact: "exact"
        case .int8: "int8"
        case .bf16: "bf16"
        default: "precision \(rawValue)"
        }
    }
}
