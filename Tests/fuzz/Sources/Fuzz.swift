/// What is tried with bytes of libFuzzer's making, by kind. A trap, a broken promise, a leak, endless work or memory is a finding.
enum Fuzzed: String, CaseIterable {
    /// A connection's stream, cut into pieces (`Fuzz+Wire`).
    case frames
    /// One message of the contract.
    case messages
    /// Weights, and what lies beside them (`Fuzz+Checkpoints`).
    case checkpoints
    /// Lists of recordings, and their alignments (`Fuzz+Manifests`).
    case manifests
    /// What a browser asks of an atlas' page (`Fuzz+Pages`).
    case pages

    /// What this process tries: its first argument.
    static let chosen = CommandLine.arguments.dropFirst().first.flatMap { Fuzzed(rawValue: $0) }

    /// The first byte says how the others are taken.
    func tryOut(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let how = bytes.first else { return }
        let rest = Array(bytes.dropFirst())
        switch self {
        case .frames: Self.connection(rest, cutEvery: max(1, Int(how)))
        case .messages: Self.message(rest, number: how)
        case .checkpoints: Self.checkpoint(rest, how)
        case .manifests: Self.manifest(rest, how)
        case .pages: Self.page(rest, how)
        }
    }
}
