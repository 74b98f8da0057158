/// What a head may do, and where such heads are.
enum HeadKind: String, CaseIterable {
    case encoderInduction = "encoder-induction"
    case encoderSameSound = "encoder-same-sound"
    case encoderOffset = "encoder-offset"
    case encoderSink = "encoder-sink"
    case decoderInduction = "decoder-induction"
    case decoderDuplicate = "decoder-duplicate"
    case decoderPrevious = "decoder-previous"
    case decoderFirst = "decoder-first"
    case aligner = "cross-aligner"

    /// "encoder", "decoder" or "cross".
    var part: String { String(rawValue.prefix { $0 != "-" }) }
    var name: String { String(rawValue.drop { $0 != "-" }.dropFirst()) }

    var title: String {
        switch self {
        case .encoderInduction: "Encoder: to what followed the same sound"
        case .encoderSameSound: "Encoder: to the same sound before"
        case .encoderOffset: "Encoder: to one offset"
        case .encoderSink: "Encoder: to the end of speech"
        case .decoderInduction: "Decoder: to what followed the same token"
        case .decoderDuplicate: "Decoder: to the same token before"
        case .decoderPrevious: "Decoder: to the token before"
        case .decoderFirst: "Decoder: to the first token"
        case .aligner: "Cross-attention: to the word that is written"
        }
    }
}

/// How much of a head's attention lies where a kind of heads looks, over trials, and how much by the null of that kind.
struct HeadEvidence: Codable, Equatable {
    private(set) var trials = 0
    private var score = 0.0
    private var null = 0.0
    /// Of the differences.
    private var squares = 0.0

    init() {}

    /// Takes in one trial: shares of attention.
    mutating func add(score: Double, null: Double) {
        trials += 1
        self.score += score
        self.null += null
        squares += (score - null) * (score - null)
    }

    mutating func add(_ other: HeadEvidence) {
        trials += other.trials
        score += other.score
        null += other.null
        squares += other.squares
    }

    /// Whether the numbers can be what ``add(score:null:)`` makes.
    var isSound: Bool {
        (0..<1 << 48).contains(trials) && [score, null, squares].allSatisfy { $0.isFinite && $0 >= 0 }
    }

    var meanScore: Double { trials > 0 ? score / Double(trials) : .nan }
    var meanNull: Double { trials > 0 ? null / Double(trials) : .nan }
    var excess: Double { meanScore - meanNull }

    /// The mean difference in its standard errors; NaN for fewer than two trials.
    var standardised: Double {
        guard trials > 1 else { return .nan }
        let count = Double(trials), variance = max(0, squares - count * excess * excess) / (count - 1)
        return variance > 0 ? excess / (variance / count).squareRoot() : excess == 0 ? 0 : .nan
    }
}

/// The evidence of all heads, by kind, layer and head.
struct HeadTable: Codable, Equatable {
    /// By ``HeadKind``'s raw value.
    private(set) var kinds: [String: [[HeadEvidence]]] = [:]

    init() {}

    subscript(kind: HeadKind) -> [[HeadEvidence]] { kinds[kind.rawValue] ?? [] }

    /// Takes in one trial of a head.
    mutating func add(_ kind: HeadKind, layer: Int, head: Int, score: Double, null: Double) {
        var layers = kinds[kind.rawValue] ?? []
        while layers.count <= layer { layers.append([]) }
        while layers[layer].count <= head { layers[layer].append(HeadEvidence()) }
        layers[layer][head].add(score: score, null: null)
        kinds[kind.rawValue] = layers
    }

    mutating func add(_ other: HeadTable) {
        for (kind, layers) in other.kinds {
            guard var own = kinds[kind] else {
                kinds[kind] = layers
                continue
            }
            for (layer, heads) in layers.enumerated() where own.indices.contains(layer) {
                for (head, evidence) in heads.enumerated() where own[layer].indices.contains(head) {
                    own[layer][head].add(evidence)
                }
            }
            kinds[kind] = own
        }
    }

    /// Whether another's numbers can be those of the same heads.
    func takes(_ other: HeadTable) -> Bool {
        other.kinds.allSatisfy { kind, layers in
            HeadKind(rawValue: kind) != nil && layers.joined().allSatisfy(\.isSound)
                && kinds[kind].map { $0.map(\.count) == layers.map(\.count) } ?? true
        }
    }
}
