import Digests
import Files
import Foundation
import Messages
import Results
import StrictJSON

/// `receipt.json`, which lies beside `results.json`.
extension Receipt {
    package static let format = "auscult-receipt/1"
    package static let fileName = "receipt.json"

    package func write(to folder: String) throws {
        let text = try text()
        try PendingFile.write(Data(text.utf8), to: "\(folder)/\(Self.fileName)")
    }

    /// The whole file. Its `sha256` is that of all members behind it, written without blanks.
    package func text() throws -> String {
        let sum = try SHA256.hex(of: Array(JSON.object(members).compactText.utf8))
        return JSON.object([("format", .string(Self.format)), ("sha256", .string(sum))] + members).text + "\n"
    }

    private var members: [(String, JSON)] {
        func list(_ digests: [Digest]) -> JSON {
            .array(digests.map { ["name": .string($0.name), "sha256": .string($0.sha256)] })
        }
        return [
            ("provenance", provenance.json), ("kernels", .string(kernels)), ("plugin_sha256", .string(plugin)),
            ("request", request.json), ("recordings", list(recordings)), ("files", list(files)),
            ("results", list(results)),
        ]
    }

    /// - Throws: ``CommandError``: `noInput` where there is no such file, `badData` where it is no receipt or was changed.
    package init(at path: String) throws {
        var path = path, isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            path += "/\(Self.fileName)"
        }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CommandError(.noInput, "there is no receipt \(path); 'auscult run … --out FOLDER' writes one")
        }
        do { try self.init(parsing: Array(bytes)) } catch let error as CommandError {
            throw CommandError(error.status, "\(path): \(error.message)")
        } catch { throw CommandError(.badData, "\(path) is no receipt: \(error)") }
    }

    init(parsing bytes: [UInt8]) throws {
        let json = try JSON(parsing: bytes)
        guard json["format"]?.string == Self.format else {
            throw CommandError(.badData, "it has no format \"\(Self.format)\", so it is no receipt")
        }
        let members = (json.members ?? []).filter { !["format", "sha256"].contains($0.0) }
        let sum = try SHA256.hex(of: Array(JSON.object(members).compactText.utf8))
        guard json["sha256"]?.string == sum else {
            throw CommandError(.badData, "it was changed after it was written: its digest is not its own")
        }
        let reader = ReceiptReader(json)
        self.init(
            request: try V1.RunPluginRequest(reader.object("request")),
            provenance: try V1.Provenance(reader.object("provenance")), kernels: try reader.text("kernels"),
            plugin: try reader.text("plugin_sha256"), recordings: try reader.digests("recordings"),
            files: try reader.digests("files"), results: try reader.digests("results"))
    }
}

/// An object of a receipt; what is missing is told by its name.
private struct ReceiptReader {
    let json: JSON
    init(_ json: JSON) { self.json = json }

    private func missing(_ name: String) -> CommandError { CommandError(.badData, "it lacks \"\(name)\"") }

    func text(_ name: String) throws -> String {
        guard let member = json[name] else { throw missing(name) }
        if member.isNull { return "" }
        guard let text = member.string else { throw missing(name) }
        return text
    }
    func object(_ name: String) throws -> ReceiptReader {
        guard let member = json[name], member.members != nil else { throw missing(name) }
        return ReceiptReader(member)
    }
    func optional(_ name: String) -> ReceiptReader? { json[name].flatMap { $0.isNull ? nil : ReceiptReader($0) } }
    func list(_ name: String) throws -> [ReceiptReader] {
        guard let array = json[name]?.array else { throw missing(name) }
        return array.map(ReceiptReader.init)
    }
    func texts(_ name: String) throws -> [String] {
        guard let array = json[name]?.array else { throw missing(name) }
        return try array.map {
            guard let text = $0.string else { throw missing(name) }
            return text
        }
    }
    func number(_ name: String) throws -> UInt64 {
        switch json[name] {
        case .integer(let value)?: if let number = UInt64(exactly: value) { return number }
        case .unsigned(let value)?: return value
        default: break
        }
        throw missing(name)
    }
    func flag(_ name: String) throws -> Bool {
        guard case .bool(let value)? = json[name] else { throw missing(name) }
        return value
    }
    func value<Value: ProtoEnum>(_ name: String, _: Value.Type) throws -> Value {
        let text = try text(name)
        guard let value = Value(name: text) ?? Int32(text).map(Value.init(rawValue:)) else { throw missing(name) }
        return value
    }
    func digests(_ name: String) throws -> [Receipt.Digest] {
        try list(name).map { Receipt.Digest(name: try $0.text("name"), sha256: try $0.text("sha256")) }
    }
    func arguments(_ name: String) throws -> [V1.PluginArgument] {
        guard let members = json[name]?.members else { throw missing(name) }
        return try members.map { id, value in
            guard let value = value.string else { throw missing(name) }
            return V1.PluginArgument(id: id, value: value)
        }
    }
    func shard() throws -> V1.Shard? {
        try optional("shard").map {
            V1.Shard(index: UInt32(clamping: try $0.number("index")), count: UInt32(clamping: try $0.number("count")))
        }
    }
}

// MARK: - Messages

extension V1.RunPluginRequest {
    fileprivate var json: JSON {
        [
            "plugin": .string(pluginId), "plugin_folders": JSON(pluginFolders),
            "model": [
                "name": .string(model?.name ?? ""), "vocabulary": .string(model?.vocabulary ?? ""),
                "precision": .string((model?.precision ?? .exact).name),
            ],
            "audio": .array(audio.map(\.json)), "data_sets": JSON(dataSets),
            "shard": shard.map { ["index": .integer(Int($0.index)), "count": .integer(Int($0.count))] } ?? .null,
            "arguments": .object(arguments.map { ($0.id, .string($0.value)) }),
            "interventions": JSON(interventions.map(\.text)), "context": .string(context.name),
            "padding": .string(padding.name), "seed": JSON(seed), "strict": .bool(strict),
            "stop_at_broken": .bool(stopAtBroken),
            "permissions": permissions.map {
                [
                    "read": JSON($0.read), "write": JSON($0.write), "network": .bool($0.network),
                    "unconfined": .bool($0.unconfined),
                ]
            } ?? .null,
        ]
    }

    fileprivate init(_ reader: ReceiptReader) throws {
        let model = try reader.object("model")
        self.init(
            pluginId: try reader.text("plugin"),
            model: V1.ModelRef(
                name: try model.text("name"), vocabulary: try model.text("vocabulary"),
                precision: try model.value("precision", V1.ModelRef.Precision.self)),
            audio: try reader.list("audio").map(V1.AudioSource.init), arguments: try reader.arguments("arguments"),
            interventions: try reader.texts("interventions").map { V1.Intervention(text: $0) },
            dataSets: try reader.texts("data_sets"), shard: try reader.shard(), seed: try reader.number("seed"),
            stopAtBroken: try reader.flag("stop_at_broken"),
            context: try reader.value("context", V1.EncoderContext.self),
            padding: try reader.value("padding", V1.Padding.self),
            pluginFolders: try reader.texts("plugin_folders"), strict: try reader.flag("strict"),
            permissions: try reader.optional("permissions").map {
                V1.PluginPermissions(
                    read: try $0.texts("read"), write: try $0.texts("write"), network: try $0.flag("network"),
                    unconfined: try $0.flag("unconfined"))
            })
    }
}

extension V1.AudioSource {
    fileprivate var json: JSON {
        let place: (String, JSON) =
            switch source {
            case .path(let path)?: ("path", .string(path))
            case .clip(let clip)?: ("clip", .string(clip))
            // What came through a pipe is nowhere to be read again.
            default: ("uploaded", .bool(true))
            }
        return .object([
            place, ("name", .string(name)), ("strict", .bool(strict)),
            (
                "span",
                span.map { ["start": .number($0.start), "end": $0.end.map(JSON.number) ?? .null] } ?? .null
            ),
        ])
    }

    fileprivate init(_ reader: ReceiptReader) throws {
        let name = try reader.text("name")
        guard reader.optional("uploaded") == nil else {
            throw CommandError(
                .noInput, "the recording \"\(name)\" came through a pipe, and cannot be heard again to verify anything")
        }
        let span = reader.optional("span").map { span in
            V1.Span(start: span.json["start"]?.double ?? 0, end: span.json["end"]?.double)
        }
        self.init(
            source: reader.optional("clip") == nil ? .path(try reader.text("path")) : .clip(try reader.text("clip")),
            name: name, span: span, strict: try reader.flag("strict"))
    }
}

extension V1.Provenance {
    fileprivate init(_ reader: ReceiptReader) throws {
        self.init(
            version: try reader.text("auscult"), model: try reader.text("model"),
            modelSha256: try reader.text("model_sha256"),
            precision: try reader.value("precision", V1.ModelRef.Precision.self),
            context: try reader.value("context", V1.EncoderContext.self),
            padding: try reader.value("padding", V1.Padding.self), interventions: try reader.texts("interventions"),
            recordings: try reader.optional("recordings").map {
                V1.RecordingSet(count: try $0.number("count"), sha256: try $0.text("sha256"), shard: try $0.shard())
            },
            plugin: try reader.optional("plugin").map {
                V1.PluginUse(
                    id: try $0.text("id"), version: try $0.text("version"), arguments: try $0.arguments("arguments"),
                    seed: try $0.number("seed"))
            })
    }
}
