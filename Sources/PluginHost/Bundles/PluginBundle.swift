import CAuscultPlugin
import Files
import Foundation

/// A folder with a manifest.json and a library. Reading it loads nothing.
public struct PluginBundle: Hashable, Sendable {
    /// Reverse DNS: "org.example.loudness".
    public let id: String
    public let name, version, vendor, licence, description: String
    /// Absolute, symbolic links resolved.
    public let folder: String
    /// The library's absolute path, inside of ``folder``.
    public let library: String

    /// What it says that it needs.
    public let permissions: DeclaredPermissions
    /// Arguments that its validation is made with where the call names none: by the parameter.
    public let validationArguments: [String: String]

    static let manifestName = "manifest.json"
    private static let longestManifest = 1 << 20

    /// Reads `folder`/manifest.json: `id`, `name`, `version`, `library` (a path in the folder); and
    /// `abi_major`, `abi_minor`, `vendor`, `licence`, `description`, `permissions`, `validate` where they are there.
    /// - Throws: ``PluginError`` (`notFound`, `brokenBundle`).
    public init(folder: String) throws {
        guard let folder = Self.resolved(folder) else {
            throw PluginError(.notFound, "the plugin's folder \(folder) is not there: \(systemReason())")
        }
        let path = folder + "/" + Self.manifestName
        func broken(_ problem: String) -> PluginError { PluginError(.brokenBundle, "\(path): \(problem)") }

        let manifest: BundleManifest
        do { manifest = try BundleManifest(Self.contents(path)) } catch let problem as BundleManifest.Problem {
            throw broken(problem.sentence)
        }
        guard Self.isReverseDNS(manifest.id) else {
            throw broken(
                "the id '\(DescriptionCheck.shown(manifest.id))' is not valid; "
                    + "expected reverse DNS, as org.example.loudness"
            )
        }
        for (key, value) in [
            ("name", manifest.name), ("version", manifest.version), ("vendor", manifest.vendor),
            ("licence", manifest.licence),
        ] {
            if let problem = DescriptionCheck.nameProblem(value) { throw broken("the \(key) \(problem)") }
            guard !value.contains(where: \.isNewline), !value.utf8.contains(0) else {
                throw broken("the \(key) has more than one line")
            }
        }
        guard !manifest.name.isEmpty, !manifest.version.isEmpty else {
            throw broken("the name or the version is empty")
        }
        guard manifest.description.utf8.count <= DescriptionCheck.longestText else {
            throw broken("the description has more than \(DescriptionCheck.longestText) bytes")
        }
        // What counts is in the library; said here, a plugin that cannot be loaded is known before it is.
        let major = manifest.abiMajor ?? Int(AUSCULT_ABI_MAJOR)
        guard major == Int(AUSCULT_ABI_MAJOR), manifest.abiMinor ?? 0 <= Int(AUSCULT_ABI_MINOR) else {
            throw broken(
                "it is made for version \(major).\(manifest.abiMinor ?? 0) of the interface; this host has "
                    + "\(AUSCULT_ABI_MAJOR).\(AUSCULT_ABI_MINOR)")
        }
        let named = manifest.library
        let parts = named.split(separator: "/", omittingEmptySubsequences: false)
        guard !named.isEmpty, !named.utf8.contains(0), !parts.contains(""), !parts.contains(".."), !parts.contains(".")
        else {
            throw broken("the library '\(DescriptionCheck.shown(named))' is not a path inside the bundle")
        }
        guard let library = Self.resolved(folder + "/" + named) else {
            throw broken("the library \(named) is not there: \(systemReason())")
        }
        guard library.hasPrefix(folder == "/" ? folder : folder + "/") else {
            throw broken("the library \(named) leads out of the bundle, to \(library)")
        }
        var status = stat()
        guard stat(library, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw broken("the library \(named) is not a regular file")
        }
        id = manifest.id
        name = manifest.name
        version = manifest.version
        vendor = manifest.vendor
        licence = manifest.licence
        description = manifest.description
        permissions = manifest.permissions
        validationArguments = manifest.validate
        self.folder = folder
        self.library = library
    }

    /// Two parts or more, each of letters, digits, '-' and '_'.
    static func isReverseDNS(_ id: String) -> Bool {
        let parts = id.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count >= 2 && DescriptionCheck.isIdentifier(id) && !parts.contains("")
    }

    private static func contents(_ path: String) throws -> [UInt8] {
        let file: FileDescriptor
        do { file = try FileDescriptor(reading: path) } catch let error as FileError {
            throw PluginError(error.code == .notFound ? .notFound : .brokenBundle, error.message)
        }
        guard let size = try? file.size, size <= longestManifest else {
            throw PluginError(.brokenBundle, "\(path) has more than \(longestManifest) bytes")
        }
        var data: [UInt8] = []
        try withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { buffer in
            while data.count <= longestManifest {
                let count: Int
                do { count = try file.read(into: buffer) } catch let error as FileError {
                    throw PluginError(.brokenBundle, error.message)
                }
                if count == 0 { return }
                data.append(contentsOf: buffer[..<count])
            }
        }
        return data
    }

    private static func resolved(_ path: String) -> String? {
        guard !path.utf8.contains(0), let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(validatingCString: real)
    }
}
