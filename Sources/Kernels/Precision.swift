import CProcessor

/// In what numbers the products with a model's weights are computed.
public enum Precision: String, Sendable, Codable, CaseIterable {
    /// float32: what the others are measured against.
    case exact
    /// Weights and activations in 8 bits with a scale for each column and each row, sums in whole numbers: products that are the
    /// same to the bit on every processor, and several times faster where it has instructions for them. Convolutions, values,
    /// norms and softmax stay float32.
    case int8
    /// Weights and activations in bfloat16, sums in float32. Only where the processor has instructions for it, whose roundings differ
    /// between makes.
    case bf16

    /// Why this processor cannot compute so; nil where it can.
    public var refusal: String? { refusal(hasBF16: processor_has_bf16()) }

    package func refusal(hasBF16: Bool, form: KernelImplementation = .current) -> String? {
        guard self == .bf16 else { return nil }
        let offer = "use exact, or int8, which every processor has"
        guard hasBF16 else {
            return "bf16 needs a processor with AVX-512 BF16 (the flag avx512_bf16), which this one has not; \(offer)"
        }
        guard form == .avx512vnni || form == .avx512amx else {
            return
                "bf16 needs the kernels avx512vnni or avx512amx, and AUSCULT_KERNELS chose \(form.rawValue); \(offer)"
        }
        return nil
    }

    /// Of one weight at most.
    public var elementBytes: Int {
        switch self {
        case .exact: 4
        case .bf16: 2
        case .int8: 1
        }
    }

    /// Those that this processor can compute with.
    public static var available: [Precision] { allCases.filter { $0.refusal == nil } }
}
