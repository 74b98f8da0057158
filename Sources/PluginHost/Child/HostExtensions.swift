import CAuscultPlugin
import Foundation
import Messages

/// The host's extensions: C's tables of functions. They are made once and never change, so any thread may read them.
struct HostExtensions: @unchecked Sendable {
    // Sendable: the pointers lead to memory that is written in `init` alone and is never freed.
    private let tables: [String: UnsafeRawPointer]

    private static let all = HostExtensions()

    static func named(_ id: UnsafePointer<CChar>?) -> UnsafeRawPointer? {
        guard let id, strnlen(id, 256) < 256 else { return nil }
        return all.tables[String(cString: id)]
    }

    private static func kept<C>(_ table: C) -> UnsafeRawPointer {
        let place = UnsafeMutablePointer<C>.allocate(capacity: 1)
        place.initialize(to: table)
        return UnsafeRawPointer(place)
    }

    private init() {
        let log = auscult_host_log(
            struct_size: UInt32(MemoryLayout<auscult_host_log>.size),
            log: { host, level, message in InstanceHost.behind(host)?.log(level, message) },
            progress: { host, done, total, unit in InstanceHost.behind(host)?.progress(done, total, unit) },
            is_cancelled: { host in InstanceHost.behind(host)?.channel.isCancelled == true ? 1 : 0 })
        let tokenizer = auscult_host_tokenizer(
            struct_size: UInt32(MemoryLayout<auscult_host_tokenizer>.size),
            encode: { host, text, special, ids, capacity, count in
                asking(host) { host in
                    let text = try CReading.text(text, "the text", longest: CReading.longestQuestion)
                    let (status, answer, _) = host.ask(
                        .encode(HostV1.AskEncode(text: text, parseSpecial: special != 0)))
                    guard status == Status.ok else { return status }
                    count?.pointee = UInt32(clamping: answer.ids.count)
                    guard let ids else { return Status.ok }
                    for (index, id) in answer.ids.prefix(Int(capacity)).enumerated() { ids[index] = id }
                    return Status.ok
                }
            },
            decode: { host, ids, idCount, text, capacity, count in
                asking(host) { host in
                    let question = HostV1.AskDecode(ids: try CReading.numbers(ids, UInt64(idCount), "ids"))
                    return copy(host.ask(.decode(question)), text, capacity, count)
                }
            })
        let weights = auscult_host_weights(
            struct_size: UInt32(MemoryLayout<auscult_host_weights>.size),
            get: { host, name, sink, context in
                asking(host) { host in
                    let name = try CReading.text(name, "the weight's name", longest: DescriptionCheck.longestName)
                    return host.ask(.weights(HostV1.AskWeights(name: name)), sink, context)
                }
            })
        let model = auscult_host_model(
            struct_size: UInt32(MemoryLayout<auscult_host_model>.size),
            run: {
                host, samples, sampleCount, tokens, tokenCount, interventions, interventionCount, hooks, hookCount,
                sink, context in
                asking(host) { host in
                    var ask = HostV1.AskRun(
                        interventions: try CReading.texts(
                            interventions, interventionCount, most: CReading.mostInterventions, "interventions"),
                        hooks: try CReading.texts(hooks, hookCount, most: DescriptionCheck.mostHooks, "hook points"))
                    if samples != nil {
                        ask.samples = HostV1.Samples(samples: try CReading.samples(samples, sampleCount))
                    }
                    if tokens != nil {
                        ask.tokens = HostV1.Tokens(ids: try CReading.numbers(tokens, UInt64(tokenCount), "tokens"))
                    }
                    return host.ask(.run(ask), sink, context)
                }
            },
            decode: { host, audio, tokens, sequences, tokensEach, sink, context in
                asking(host) { host in
                    let (count, overflow) = UInt64(sequences).multipliedReportingOverflow(by: UInt64(tokensEach))
                    guard !overflow, (1...1024).contains(sequences), count > 0 else {
                        throw PluginFault(
                            "\(sequences) sequences of \(tokensEach) tokens; 1 to 1024 of at least one were expected")
                    }
                    var ask = HostV1.AskLogits(
                        tokens: try CReading.numbers(tokens, count, "tokens"), sequences: sequences,
                        tokensEach: tokensEach)
                    if let audio {
                        guard Int(audio.pointee.dtype) == AUSCULT_F32 else { throw PluginFault("the audio is not F32") }
                        ask.audio = try CReading.tensor(audio.pointee, rank: 2, most: CReading.longestQuestion)
                    }
                    return host.ask(.logits(ask), sink, context)
                }
            },
            transcribe: {
                host, samples, sampleCount, language, interventions, interventionCount, text, capacity, count in
                asking(host) { host in
                    let ask = HostV1.AskTranscribe(
                        samples: try CReading.samples(samples, sampleCount),
                        language: try language.map { try CReading.text($0, "the language", longest: 64) } ?? "",
                        interventions: try CReading.texts(
                            interventions, interventionCount, most: CReading.mostInterventions, "interventions"))
                    return copy(host.ask(.transcribe(ask)), text, capacity, count)
                }
            })
        let gradients = auscult_host_gradients(
            struct_size: UInt32(MemoryLayout<auscult_host_gradients>.size),
            run: { host, pass, values, sink, context in
                asking(host) { host in
                    let question = try CReading.pass(pass)
                    return host.ask(.pass(question), sink, context) { answer in
                        for (index, value) in answer.values.prefix(question.objectives.count).enumerated() {
                            values?[index] = value
                        }
                    }
                }
            })
        let folder = auscult_host_folder(
            struct_size: UInt32(MemoryLayout<auscult_host_folder>.size),
            path: { host in
                guard let host = InstanceHost.behind(host), host.isOnPluginThread else { return nil }
                return host.statePath()
            })
        tables = [
            AUSCULT_HOST_LOG: Self.kept(log), AUSCULT_HOST_TOKENIZER: Self.kept(tokenizer),
            AUSCULT_HOST_WEIGHTS: Self.kept(weights), AUSCULT_HOST_MODEL: Self.kept(model),
            AUSCULT_HOST_GRADIENTS: Self.kept(gradients), AUSCULT_HOST_FOLDER: Self.kept(folder),
        ]
    }
}

/// Runs `body` with the host on the plugin thread; its faults become AUSCULT_INVALID_ARGUMENT.
private func asking(
    _ host: UnsafePointer<auscult_host>?, _ body: (InstanceHost) throws -> auscult_status
) -> auscult_status {
    guard let host = InstanceHost.behind(host), host.isOnPluginThread else { return Status.failed }
    do { return try body(host) } catch let error as ResultTooLarge {
        return host.refuse(Status.limit, "\(error)")
    } catch {
        return host.refuse(Status.invalidArgument, "\(error)")
    }
}

/// Copies as much of a text as there is room for, and says how much there is.
private func copy(
    _ asked: (status: auscult_status, answer: HostV1.Answer, memory: MappedMemory?),
    _ text: UnsafeMutablePointer<CChar>?, _ capacity: UInt64, _ count: UnsafeMutablePointer<UInt64>?
) -> auscult_status {
    guard asked.status == Status.ok else { return asked.status }
    let utf8 = Array(asked.answer.text.utf8)
    count?.pointee = UInt64(utf8.count)
    guard let text else { return Status.ok }
    for (index, byte) in utf8.prefix(Int(clamping: capacity)).enumerated() { text[index] = CChar(bitPattern: byte) }
    return Status.ok
}
