/// A scan into an atlas that is asked for. Paths are absolute.
struct AtlasBuildRequest: Sendable {
    /// What is scanned with where nobody says otherwise.
    static let plugin = "features"

    /// The atlas.
    var path: String
    /// The hook points to scan, where the plugin has a parameter for them.
    var hooks: [String] = []
    /// Without shards and without a state of its own.
    var run: RunRequest
}
