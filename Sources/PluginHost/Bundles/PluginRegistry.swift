import Messages

/// The bundles on a search path. Nothing is loaded, and nothing is kept: what was installed a moment ago is there.
public final class PluginRegistry: Sendable {
    public let searchPath: [String]
    public let quarantine: PluginQuarantine

    /// - Parameter searchPath: folders that hold bundles, the first that has an id wins.
    public init(searchPath: [String] = PluginRegistry.defaultSearchPath(), quarantine: PluginQuarantine = .init()) {
        self.searchPath = searchPath
        self.quarantine = quarantine
    }

    /// `$AUSCULT_PLUGIN_PATH` (divided by colons), the user's data folder, `<prefix>/lib/auscult/plugins`.
    public static func defaultSearchPath() -> [String] { [] }

    /// Every bundle, broken ones with their problem; by id.
    public func list() -> [V1.PluginListing] { [] }

    /// The bundle with the id `named`, or whose id ends in `.named` where that is one only.
    /// - Throws: ``PluginError`` (`notFound` with the nearest ids, `brokenBundle`).
    public func bundle(named: String) throws -> PluginBundle { throw PluginError(.notFound, named) }
}

/// Which plugins crashed too often of late.
public final class PluginQuarantine: Sendable {
    public init() {}
}
