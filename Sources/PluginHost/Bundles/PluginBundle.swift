/// A folder with a manifest.json and a library. Reading it loads nothing.
public struct PluginBundle: Hashable, Sendable {
    /// Reverse DNS: "org.example.loudness".
    public let id: String
    public let name, version, vendor, licence, description: String
    /// Absolute, symbolic links resolved.
    public let folder: String
    /// The library's absolute path, inside of ``folder``.
    public let library: String

    /// - Throws: ``PluginError`` (`notFound`, `brokenBundle`).
    public init(folder: String) throws { throw PluginError(.notFound, folder) }
}
