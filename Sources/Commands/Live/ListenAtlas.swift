import Atlas
import Messages

/// A feature that is listened to.
struct ListenFeature: Sendable {
    var feature: V1.LiveFeature
    /// What an atlas says that it listens to, and its number there.
    var label = ""
    var atlas: Int64?

    init(_ feature: V1.LiveFeature) { self.feature = feature }

    var name: String { "\(feature.hook):\(feature.index)" }
}

/// The features of an atlas that are columns of an activation: directions and latents are none.
struct ListenAtlas {
    let store: AtlasStore
    private let rows: [AtlasFeatureRow]
    /// Labelled features that are read where none are named.
    private static let most = 256

    /// - Throws: what reading the atlas throws.
    init(_ path: String) throws {
        store = try AtlasStore(path: path, mode: .read)
        var query = AtlasQuery()
        query.pageSize = 10_000
        var rows: [AtlasFeatureRow] = []
        while true {
            let page = try store.features(query)
            rows += page.rows
            query.page += 1
            if page.rows.isEmpty || rows.count >= page.total { break }
        }
        self.rows = rows.filter { $0.feature.name.isEmpty }
    }

    /// Those of the encoder that have a label, the most precise first.
    var labelled: [ListenFeature] {
        rows.filter { $0.label != nil && $0.feature.hook.hasPrefix("encoder.") }
            .sorted { ($0.label?.precision ?? 0) > ($1.label?.precision ?? 0) }
            .prefix(Self.most).map(Self.feature)
    }

    /// A feature with what is known of it.
    func named(_ feature: V1.LiveFeature) -> ListenFeature {
        rows.first { $0.feature.hook == feature.hook && $0.feature.number == Int(feature.index) }
            .map(Self.feature) ?? ListenFeature(feature)
    }

    private static func feature(_ row: AtlasFeatureRow) -> ListenFeature {
        var feature = ListenFeature(
            V1.LiveFeature(hook: row.feature.hook, index: UInt32(clamping: row.feature.number)))
        feature.label = row.label?.label ?? ""
        feature.atlas = row.feature.id
        return feature
    }
}
