import Atlas
import Foundation

/// The list of features as a file: columns instead of names, since it is loaded whole and may have tens of thousands.
struct PageIndex: Encodable {
    /// What the values of a feature and of a label are, in their order. The hook point is a place in `hooks`.
    let feature = ["id", "hook", "number", "name", "density", "minimum", "maximum"]
    let label = ["kind", "side", "label", "precision", "lift", "recall", "f1", "auc", "selectivity", "ap"]
    var hooks: [String]
    var rows: [Row]

    struct Row: Encodable {
        var feature: AtlasFeature
        var hook: Int
        var labels: [AtlasLabel]

        func encode(to encoder: any Encoder) throws {
            var row = encoder.unkeyedContainer()
            var values = row.nestedUnkeyedContainer()
            try values.encode(feature.id)
            try values.encode(hook)
            try values.encode(feature.number)
            try values.encode(feature.name)
            for value in [feature.density, feature.minimum, feature.maximum] { try values.encode(value) }
            var all = row.nestedUnkeyedContainer()
            for label in labels {
                var values = all.nestedUnkeyedContainer()
                for text in [label.kind, label.side, label.label] { try values.encode(text) }
                for value in [
                    label.precision, label.lift, label.recall, label.f1, label.auc, label.selectivity, label.ap,
                ] {
                    try values.encode(value)
                }
            }
        }
    }

    static func json(_ rows: [AtlasFeatureRow], _ data: PageData) throws -> Data {
        let labels = try data.store.labels(of: rows.map(\.feature.id))
        let hooks = Array(Set(rows.map(\.feature.hook))).sorted()
        let places = Dictionary(uniqueKeysWithValues: hooks.enumerated().map { ($1, $0) })
        return try data.json(
            PageIndex(
                hooks: hooks,
                rows: rows.map { row in
                    Row(
                        feature: row.feature, hook: places[row.feature.hook] ?? 0,
                        labels: labels[row.feature.id] ?? [])
                }))
    }
}
