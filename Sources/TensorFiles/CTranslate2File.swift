/// The variables of CTranslate2's `model.bin`, by name, mapped into memory.
///
/// The layout is that of CTranslate2's `model_spec.py` (`ModelSpec._serialize`), little-endian and without padding, so
/// that tensors are not aligned:
///
///     u32 version 6 · text specification · u32 revision · u32 variables
///     each: text name · u8 rank · u32 extents · u8 type · u32 bytes · elements
///     u32 aliases · each: text alias · text name
///
/// A text is a u16 length, which counts the NUL at its end, and bytes. Aliases stand for variables of the same content,
/// whatever they are of: a layer's zero biases may be another's.
package struct CTranslate2File: Sendable {
    package static let version: UInt32 = 6
    /// More than any name or specification has.
    private static let longestText = 256

    package let name: String
    /// What kind of model it is: `WhisperSpec`.
    package let specification: String
    package let revision: UInt32
    package let tensors: [String: StoredTensor]
    /// What each alias stands for, chains followed.
    package let aliases: [String: String]

    /// Whether bytes begin as such a file does, of whatever version and kind of model.
    package static func begins(_ bytes: FileBytes) -> Bool {
        guard let version = bytes.integer(at: 0, as: UInt32.self), (1...64).contains(version),
            let length = bytes.integer(at: 4, as: UInt16.self), (2...64).contains(length),
            let text = try? bytes.slice(6, Int(length), of: "").array, text.last == 0
        else { return false }
        return text.dropLast().allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "z")).contains($0) }
    }

    /// Reads everything but the elements.
    /// - Throws: ``TensorFileError``: `unsupported` for another version or type, `dataLoss` where it is not sound.
    package init(_ bytes: FileBytes) throws {
        var cursor = ByteCursor(bytes)
        let version = try cursor.read(UInt32.self, "the version")
        guard version == Self.version else {
            throw TensorFileError(
                .unsupported,
                "\(bytes.name): version \(version) of CTranslate2's file, expected \(Self.version); convert the model "
                    + "again with a current ctranslate2")
        }
        name = bytes.name
        specification = try Self.text(&cursor, "the specification")
        revision = try cursor.read(UInt32.self, "the revision")
        let tensors = try Self.variables(&cursor)
        aliases = try Self.aliases(&cursor, of: tensors)
        self.tensors = tensors.merging(aliases.compactMapValues { tensors[$0] }) { own, _ in own }
        guard cursor.remaining == 0 else {
            throw TensorFileError(
                .dataLoss, "\(bytes.name): \(cursor.remaining) bytes follow the last alias, where the file should end")
        }
    }

    private static func variables(_ cursor: inout ByteCursor) throws -> [String: StoredTensor] {
        var tensors: [String: StoredTensor] = [:]
        for _ in 0..<(try cursor.read(UInt32.self, "the number of variables")) {
            let (name, tensor) = try variable(&cursor)
            guard tensors.updateValue(tensor, forKey: name) == nil else {
                throw TensorFileError(.dataLoss, "\(cursor.bytes.name) has the variable '\(name)' twice")
            }
        }
        return tensors
    }

    private static func variable(_ cursor: inout ByteCursor) throws -> (String, StoredTensor) {
        let file = cursor.bytes.name
        let name = try text(&cursor, "a variable's name")
        var shape: [Int] = []
        for _ in 0..<(try cursor.read(UInt8.self, "the rank of '\(name)'")) {
            shape.append(Int(try cursor.read(UInt32.self, "an extent of '\(name)'")))
        }
        let code = Int(try cursor.read(UInt8.self, "the type of '\(name)'"))
        guard types.indices.contains(code) else {
            throw TensorFileError(
                .unsupported, "\(file): variable '\(name)' has type \(code), which is not read here")
        }
        let size = Int(try cursor.read(UInt32.self, "the size of '\(name)'"))
        let bytes = try cursor.take(size, "variable '\(name)'").named("\(file), variable '\(name)'")
        return (name, try StoredTensor(types[code], shape: shape, bytes: bytes))
    }

    private static func aliases(_ cursor: inout ByteCursor, of tensors: [String: StoredTensor]) throws
        -> [String: String]
    {
        var aliases: [String: String] = [:]
        for _ in 0..<(try cursor.read(UInt32.self, "the number of aliases")) {
            let alias = try text(&cursor, "an alias")
            let target = try text(&cursor, "what the alias '\(alias)' stands for")
            let name = aliases[target] ?? target
            guard tensors[name] != nil else {
                throw TensorFileError(
                    .dataLoss, "\(cursor.bytes.name): alias '\(alias)' stands for '\(target)', which is not there")
            }
            guard tensors[alias] == nil, aliases.updateValue(name, forKey: alias) == nil else {
                throw TensorFileError(.dataLoss, "\(cursor.bytes.name) has the variable '\(alias)' twice")
            }
        }
        return aliases
    }

    private static func text(_ cursor: inout ByteCursor, _ what: String) throws -> String {
        let start = cursor.offset
        let length = Int(try cursor.read(UInt16.self, "the length of \(what)"))
        guard (2...longestText).contains(length) else {
            throw TensorFileError(
                .dataLoss,
                "\(cursor.bytes.name): at byte \(start), \(what) of \(length) bytes; expected 2 to \(longestText)")
        }
        let text = try cursor.text(length, what)
        guard text.utf8.last == 0, text.utf8.dropLast().allSatisfy({ $0 != 0 }) else {
            throw TensorFileError(
                .dataLoss, "\(cursor.bytes.name): at byte \(start), \(what) does not end with its NUL")
        }
        return String(text.unicodeScalars.dropLast())
    }

    /// The numbers of CTranslate2's `enum class DataType`.
    private static let types: [ElementType] = [.float32, .int8, .int16, .int32, .float16, .bfloat16]
}
