/// The models that the daemon can download, for help and completions, which no daemon is asked for.
package enum ReleasedNames {
    package static let all = [
        "tiny.en", "tiny", "base.en", "base", "small.en", "small", "medium.en", "medium", "large-v1", "large-v2",
        "large-v3", "large-v3-turbo",
    ]
    /// Other names of some of them.
    package static let aliases = ["large", "turbo"]
}
