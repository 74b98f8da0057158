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
    }
}
