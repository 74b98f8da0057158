import StrictJSON

/// What a bundle's manifest.json says, as it stands there; ``PluginBundle`` says what of it makes sense.
struct BundleManifest {
    let id: String
    let name: String
    let version: String
    let vendor: String
    let licence: String
    let description: String
    let library: String
    let abiMajor: Int?
    let abiMinor: Int?
    let permissions: DeclaredPermissions
    /// Values by the parameter.
    let validate: [String: String]

    /// Why a text is none, as the end of a sentence about it.
    struct Problem: Error {
        let sentence: String
    }

    /// - Throws: ``Problem`` with the member that is missing or of another type, or the place at which it stops being JSON.
    init(_ bytes: [UInt8]) throws(Problem) {
        let json: JSON
        do { json = try JSON(parsing: bytes) } catch { throw Problem(sentence: "it is \(error)") }
        guard json.members != nil else { throw Problem(sentence: "it is no JSON object but \(json.kind)") }
        func member<T>(_ name: String, _ type: String, _ as: (JSON) -> T?) throws(Problem) -> T? {
            guard let value = json[name], !value.isNull else { return nil }
            guard let read = `as`(value) else {
                throw Problem(sentence: "'\(name)' is \(value.kind); \(type) was expected")
            }
            return read
        }
        func text(_ name: String) throws(Problem) -> String? { try member(name, "a string", \.string) }
        func needed(_ name: String) throws(Problem) -> String {
            guard let text = try text(name) else {
                throw Problem(sentence: "'\(name)' is missing; a string was expected")
            }
            return text
        }
        id = try needed("id")
        name = try needed("name")
        version = try needed("version")
        library = try needed("library")
        vendor = try text("vendor") ?? ""
        licence = try text("licence") ?? ""
        description = try text("description") ?? ""
        abiMajor = try member("abi_major", "an integer", \.int)
        abiMinor = try member("abi_minor", "an integer", \.int)
        permissions = try Self.permissions(json["permissions"])
        validate = try Self.arguments(json["validate"])
    }

    /// `"validate": {"steps": "4"}`.
    private static func arguments(_ json: JSON?) throws(Problem) -> [String: String] {
        guard let json, !json.isNull else { return [:] }
        guard let members = json.members, members.count <= 64 else {
            throw Problem(sentence: "'validate' is \(json.kind); an object of 64 arguments at most was expected")
        }
        var arguments: [String: String] = [:]
        for (key, value) in members {
            guard let text = value.string, !text.utf8.contains(0) else {
                throw Problem(
                    sentence: "'validate.\(DescriptionCheck.shown(key))' is \(value.kind); a string was expected")
            }
            arguments[key] = text
        }
        return arguments
    }

    /// `"permissions": {"read": [paths], "write_files": [arguments], "write_folders": [arguments], "network": true}`.
    private static func permissions(_ json: JSON?) throws(Problem) -> DeclaredPermissions {
        var declared = DeclaredPermissions()
        guard let json, !json.isNull else { return declared }
        guard let members = json.members else {
            throw Problem(sentence: "'permissions' is \(json.kind); an object was expected")
        }
        func names(_ value: JSON, _ key: String) throws(Problem) -> [String] {
            guard let elements = value.array, elements.count <= 64 else {
                throw Problem(
                    sentence: "'permissions.\(key)' is \(value.kind); a list of 64 strings at most was expected")
            }
            var names: [String] = []
            for element in elements {
                guard let name = element.string, !name.utf8.contains(0) else {
                    throw Problem(sentence: "'permissions.\(key)' has \(element.kind) in it; strings were expected")
                }
                names.append(name)
            }
            return names
        }
        for (key, value) in members {
            switch key {
            case "read":
                declared.read = try names(value, key)
                for path in declared.read where !path.hasPrefix("/") {
                    throw Problem(
                        sentence:
                            "'permissions.read' has the path '\(DescriptionCheck.shown(path))', which is not absolute")
                }
            case "write_files": declared.writeFiles = try names(value, key)
            case "write_folders": declared.writeFolders = try names(value, key)
            case "network":
                guard case .bool(let network) = value else {
                    throw Problem(sentence: "'permissions.network' is \(value.kind); true or false was expected")
                }
                declared.network = network
            default:
                throw Problem(
                    sentence:
                        "'permissions' has '\(DescriptionCheck.shown(key))'; read, write_files, write_folders and "
                        + "network are known")
            }
        }
        return declared
    }
}
