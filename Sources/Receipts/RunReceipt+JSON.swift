import Client
import Messages
import Results
import StrictJSON

/// `receipt.json`, which lies beside `results.json`.
extension RunReceipt {
    package static let format = "auscult-receipt/1"

    package func write(to folder: String) throws {
        try ReceiptFile(format: Self.format, members: members).write(to: "\(folder)/\(ReceiptFile.name)")
    }

    private var members: [(String, JSON)] {
        return [
            ("provenance", provenance.json), ("kernels", .string(kernels)), ("plugin_sha256", .string(plugin)),
            ("request", request.json), ("recordings", JSON(recordings)), ("files", JSON(files)),
            ("results", JSON(results)),
        ]
    }

    /// - Throws: ``CommandError``, `badData` where it lacks something.
    package init(_ file: ReceiptFile) throws {
        let reader = ReceiptReader(.object(file.members))
        self.init(
            request: try V1.RunPluginRequest(reader.object("request")),
            provenance: try V1.Provenance(reader.object("provenance")), kernels: try reader.text("kernels"),
            plugin: try reader.text("plugin_sha256"), recordings: try reader.digests("recordings"),
            files: try reader.digests("files"), results: try reader.digests("results"))
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
