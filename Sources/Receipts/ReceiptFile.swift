import Client
import Digests
import Files
import Foundation
import StrictJSON

/// A receipt as it lies in a file: its format, the digest of what follows, and that.
package struct ReceiptFile {
    /// What a receipt beside results is called.
    package static let name = "receipt.json"

    package let format: String
    let members: [(String, JSON)]

    init(format: String, members: [(String, JSON)]) {
        self.format = format
        self.members = members
    }

    /// The whole file. Its `sha256` is that of all members behind it, written without blanks.
    func text() throws -> String {
        JSON.object([("format", .string(format)), ("sha256", .string(try sum))] + members).text + "\n"
    }

    private var sum: String {
        get throws { try SHA256.hex(of: Array(JSON.object(members).compactText.utf8)) }
    }

    func write(to path: String) throws { try PendingFile.write(Data(text().utf8), to: path) }

    /// - Parameter path: a receipt, or a folder with one.
    /// - Throws: ``CommandError``: `noInput` where there is no such file, `badData` where it is no receipt or was changed.
    package init(at path: String) throws {
        var path = path, isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            path += "/\(Self.name)"
        }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CommandError(
                .noInput,
                "there is no receipt \(path); 'auscult run … --out FOLDER' and 'auscult transcribe … --receipt FILE' write one"
            )
        }
        do { try self.init(parsing: Array(bytes)) } catch let error as CommandError {
            throw CommandError(error.status, "\(path): \(error.message)")
        } catch { throw CommandError(.badData, "\(path) is no receipt: \(error)") }
    }

    init(parsing bytes: [UInt8]) throws {
        let json = try JSON(parsing: bytes)
        guard let format = json["format"]?.string, [RunReceipt.format, TranscriptsReceipt.format].contains(format)
        else {
            throw CommandError(
                .badData,
                "it has no format \"\(RunReceipt.format)\" or \"\(TranscriptsReceipt.format)\", so it is no receipt")
        }
        self.init(format: format, members: (json.members ?? []).filter { !["format", "sha256"].contains($0.0) })
        guard json["sha256"]?.string == (try sum) else {
            throw CommandError(.badData, "it was changed after it was written: its digest is not its own")
        }
    }
}

extension JSON {
    init(_ digests: [NamedDigest]) {
        self = .array(digests.map { ["name": .string($0.name), "sha256": .string($0.sha256)] })
    }
}
