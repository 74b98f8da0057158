import Client
import Messages
import Reflection
import StrictJSON

/// A receipt of transcripts in a file. What was asked for has the names of the protocol, as `auscult call` takes it.
extension TranscriptsReceipt {
    package static let format = "auscult-transcripts-receipt/1"

    /// - Parameter daemon: describes the request's fields.
    /// - Throws: what the call throws; ``Files/FileError`` where it cannot be written.
    package func write(to path: String, _ daemon: DaemonConnection) async throws {
        let requests = try await RequestCodec(daemon)
        try ReceiptFile(format: Self.format, members: members(requests)).write(to: path)
    }

    func members(_ requests: RequestCodec) throws -> [(String, JSON)] {
        [
            ("model_sha256", .string(model)), ("recordings", JSON(recordings)), ("files", JSON(files)),
            (
                "transcripts",
                .array(
                    try entries.map { entry in
                        [
                            "auscult": .string(entry.program.version), "kernels": .string(entry.program.kernels),
                            "request": try requests.json(entry.request), "text": .string(entry.text),
                            "sha256": .string(entry.sha256),
                        ]
                    })
            ),
        ]
    }

    /// - Parameter daemon: describes the request's fields.
    /// - Throws: ``CommandError``, `badData` where it lacks something or its requests are none.
    package init(_ file: ReceiptFile, _ daemon: DaemonConnection) async throws {
        try self.init(file, await RequestCodec(daemon))
    }

    init(_ file: ReceiptFile, _ requests: RequestCodec) throws {
        let reader = ReceiptReader(.object(file.members))
        self.init(
            model: try reader.text("model_sha256"), recordings: try reader.digests("recordings"),
            files: try reader.digests("files"),
            entries: try reader.list("transcripts").map { entry in
                Entry(
                    request: try requests.request(entry.object("request").json),
                    program: ComputingProgram(version: try entry.text("auscult"), kernels: try entry.text("kernels")),
                    text: try entry.text("text"), sha256: try entry.text("sha256"))
            })
    }
}

/// Requests for transcripts as JSON and back.
struct RequestCodec {
    private let codec: MessageCodec
    private let message: MessageDescriptor

    init(_ daemon: DaemonConnection) async throws { try self.init(try await DescriptorPool(from: daemon)) }

    init(_ pool: DescriptorPool) throws {
        var options = MessageCodec.Options()
        options.usesProtoNames = true
        codec = MessageCodec(pool, options: options)
        message = try pool.message(named: "auscult.v1.TranscribeRequest")
    }

    func json(_ request: V1.TranscribeRequest) throws -> JSON {
        try codec.decode(request.serialized(), as: message)
    }

    func request(_ json: JSON) throws -> V1.TranscribeRequest {
        do { return try V1.TranscribeRequest(serialized: try codec.encode(json, as: message)) } catch {
            throw CommandError(.badData, "one of its requests is none: \(error)")
        }
    }
}
