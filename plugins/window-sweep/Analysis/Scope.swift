import PluginKit

/// Whose attention is limited.
enum Scope: Equatable {
    case all
    /// Heads with most of their mass near.
    case local
    /// Those without.
    case others
    case one(layer: Int, head: Int)

    /// - Throws: ``PluginError`` (`invalidArgument`) for what is none.
    init(parsing text: String) throws {
        switch text {
        case "all": self = .all
        case "local": self = .local
        case "others": self = .others
        default:
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
            guard parts.count == 2, let layer = parts[0], let head = parts[1], layer >= 0, head >= 0 else {
                throw PluginError(
                    .invalidArgument, "heads has \"\(text)\"; expected all, local, others, or block.head, as 2.5")
            }
            self = .one(layer: layer, head: head)
        }
    }

    var name: String {
        switch self {
        case .all: "all"
        case .local: "local"
        case .others: "others"
        case .one(let layer, let head): "\(layer).\(head)"
        }
    }

    /// Whether its heads are known only when all recordings were heard.
    var isMeasured: Bool { self == .local || self == .others }

    /// The interventions that limit it to k frames to each side.
    /// - Parameter heads: of all blocks, with whether they are local; for ``isMeasured``.
    func interventions(_ k: Int, _ heads: [(layer: Int, head: Int, isLocal: Bool)] = []) -> [String] {
        switch self {
        case .all: return ["encoder.blocks.*.attn window \(k)"]
        case .one(let layer, let head): return [Self.window(layer, [head], k)]
        case .local, .others:
            let chosen = heads.filter { $0.isLocal == (self == .local) }
            let layers = Dictionary(grouping: chosen, by: \.layer).sorted { $0.key < $1.key }
            return layers.map { layer, heads in Self.window(layer, heads.map(\.head).sorted(), k) }
        }
    }

    private static func window(_ layer: Int, _ heads: [Int], _ k: Int) -> String {
        "encoder.blocks.\(layer).attn.scores @heads \(heads.map(String.init).joined(separator: ",")) window \(k)"
    }
}
