import Files
import Foundation
import Messages

/// The bundles on a search path. Nothing is loaded, and nothing is kept: what was installed a moment ago is there.
public final class PluginRegistry: Sendable {
    /// Folders that hold bundles.
    public let searchPath: [String]
    public let quarantine: PluginQuarantine

    /// - Parameter searchPath: folders that hold bundles, or are one; the first that has an id wins.
    public init(searchPath: [String] = PluginRegistry.defaultSearchPath(), quarantine: PluginQuarantine = .init()) {
        self.searchPath = searchPath
        self.quarantine = quarantine
    }

    /// `$AUSCULT_PLUGIN_PATH` (divided by colons), the user's data folder, those that were built beside the program, and
    /// `<prefix>/lib/auscult/plugins`.
    public static func defaultSearchPath(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> [String] {
        let named = (environment["AUSCULT_PLUGIN_PATH"] ?? "").split(separator: ":").map(String.init)
        let program = URL(fileURLWithPath: HostExecutable.programFolder())
        let built = program.appendingPathComponent("plugins").path
        let installed = program.deletingLastPathComponent().appendingPathComponent("lib/auscult/plugins").path
        return named + [DataFolder(environment: environment).path + "/plugins", built, installed]
    }

    /// Every bundle, broken ones with their problem; by id, then by folder.
    /// - Parameter first: folders like those of ``searchPath``, which come before it.
    public func list(first: [String] = []) -> [V1.PluginListing] {
        var listings: [V1.PluginListing] = []
        var places: [String: String] = [:]
        for folder in folders(first) {
            do {
                let bundle = try PluginBundle(folder: folder)
                var listing = bundle.listing
                if let other = places[bundle.id] {
                    if other == bundle.folder { continue }
                    listing.problem = "another bundle with this id comes first: \(other)"
                } else {
                    places[bundle.id] = bundle.folder
                    listing.problem = quarantine.problem(with: bundle) ?? ""
                }
                listings.append(listing)
            } catch {
                let name = (folder as NSString).lastPathComponent
                listings.append(V1.PluginListing(id: name, name: name, path: folder, problem: "\(error)"))
            }
        }
        return listings.sorted { ($0.id, $0.path) < ($1.id, $1.path) }
    }

    /// The bundle with the id `named`, or whose id ends in `.named` where that is one only; or the one in the folder
    /// `named`, where that is an absolute path. Quarantine is not looked at.
    /// - Parameter first: folders like those of ``searchPath``, which come before it.
    /// - Throws: ``PluginError`` (`notFound` with the nearest ids, `brokenBundle`, `invalidArgument` where it means
    ///   several).
    public func bundle(named: String, first: [String] = []) throws -> PluginBundle {
        if named.hasPrefix("/") { return try PluginBundle(folder: named) }
        var bundles: [PluginBundle] = []
        var problems: [String: any Error] = [:]
        for folder in folders(first) {
            do {
                let bundle = try PluginBundle(folder: folder)
                if !bundles.contains(where: { $0.id == bundle.id }) { bundles.append(bundle) }
            } catch { problems[(folder as NSString).lastPathComponent] = error }
        }
        if let exact = bundles.first(where: { $0.id == named }) { return exact }
        let short = bundles.filter { !named.isEmpty && $0.id.hasSuffix("." + named) }
        if let only = short.first, short.count == 1 { return only }
        let shown = DescriptionCheck.shown(named)
        guard short.isEmpty else {
            throw PluginError(
                .invalidArgument, "'\(shown)' is the end of several ids: \(short.map(\.id).joined(separator: ", "))")
        }
        if let problem = problems[named] { throw problem }
        let ids = bundles.map(\.id)
        // Whoever types the last part only is helped by the ids whose last parts are near.
        let near = nearestNames(
            to: named, in: named.contains(".") ? ids : ids.map(Self.lastPart), similarOnly: false)
        let found = near.flatMap { near in ids.filter { $0 == near || Self.lastPart($0) == near } }
        throw PluginError(
            .notFound,
            found.isEmpty
                ? "no plugin is called '\(shown)'; there are none in \((first + searchPath).joined(separator: ", "))"
                : "no plugin is called '\(shown)'; the nearest are \(Array(found.prefix(3)).joined(separator: ", "))")
    }

    private static func lastPart(_ id: String) -> String { String(id.split(separator: ".").last ?? "") }

    /// The folders that could be bundles, in the order of the search path.
    private func folders(_ first: [String]) -> [String] {
        (first + searchPath).flatMap { place -> [String] in
            if access("\(place)/\(PluginBundle.manifestName)", F_OK) == 0 { return [place] }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
            return names.sorted().filter { !$0.hasPrefix(".") }.map { "\(place)/\($0)" }.filter {
                var status = stat()
                return stat($0, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            }
        }
    }
}

extension PluginBundle {
    /// As a list of plugins has it.
    public var listing: V1.PluginListing {
        V1.PluginListing(id: id, name: name, version: version, vendor: vendor, licence: licence, path: folder)
    }
}
