import Kernels
import Whisper

/// A change to activations as it was asked for, before anybody knows whether it suits the model.
public enum InterventionSpec: Sendable {
    /// The text form (``Whisper/InterventionText``).
    case text(String)
    /// The same in parts.
    case parts(InterventionParts)

    /// The change for a model of these sizes; tensors in files are read now.
    /// - Parameter material: where recordings, data sets and words are found; without it they are looked for, and nobody listens.
    /// - Throws: ``WhisperError`` or ``ServiceError`` (`invalidArgument`) that say what makes no sense, and what reading
    ///   a tensor's file throws.
    public func intervention(_ dimensions: ModelDimensions) throws -> Intervention {
        try intervention(dimensions, .unheard)
    }

    func intervention(_ dimensions: ModelDimensions, _ material: InterventionMaterial) throws -> Intervention {
        switch self {
        case .text(let text): return try Intervention(parsing: text, dimensions: dimensions, material: material)
        case .parts(let parts):
            try parts.check()
            // Its tensors have no name in a text, and are found by their numbers.
            let sources = parts.sources
            var numbered = material
            numbered.tensor = { written, hook in
                guard written.hasPrefix(Self.mark), let number = Int(written.dropFirst(Self.mark.count)),
                    sources.indices.contains(number)
                else { return try material.tensor(written, hook) }
                switch sources[number] {
                case .tensor(let tensor): return tensor
                case .path(let path): return try material.tensor(path, hook)
                }
            }
            let text = parts.text { "\(Self.mark)\($0)" }
            return try Intervention(parsing: text, dimensions: dimensions, material: numbered)
        }
    }

    /// How a tensor is named within the text of its parts.
    private static let mark = "#"

    /// Whether the model has to listen to something before the first pass that is changed.
    var needsHearing: Bool {
        get throws {
            let text = try InterventionText(spelled)
            return text.namesWords || text.namesSounds
        }
    }

    /// Whether it speaks of words of the recording that is heard.
    var namesWords: Bool { get throws { try InterventionText(spelled).namesWords } }

    /// Refuses words that are not among those of the recording that it acts on.
    /// - Throws: ``WhisperError`` (`invalidArgument`) with the words that are.
    func checkWords(_ heard: [HeardWord]) throws { try InterventionText(spelled).checkWords(heard) }

    /// As text that can be read again.
    private var spelled: String {
        switch self {
        case .text(let text): text
        case .parts(let parts): parts.text { "\(Self.mark)\($0)" }
        }
    }
}

extension InterventionSpec: CustomStringConvertible {
    /// The text form; a tensor that came by value is named by its shape.
    public var description: String {
        switch self {
        case .text(let text): text
        case .parts(let parts): parts.description
        }
    }
}

extension [InterventionSpec] {
    /// The changes for a model of these sizes, which do not contradict each other.
    /// - Throws: as ``InterventionSpec/intervention(_:)``.
    func interventions(_ dimensions: ModelDimensions, _ material: InterventionMaterial = .unheard) throws
        -> [Intervention]
    {
        let found = try map { try $0.intervention(dimensions, material) }
        try Intervention.check(together: found)
        return found
    }
}
