import Messages

/// A check of bytes as one type of message.
typealias Check = @Sendable ([UInt8]) -> Void

/// The requests and the answers of all methods, ttRPC's own messages, and what errors carry.
let contract: [Check] =
    [check(TTRPC.Request.self), check(TTRPC.Response.self), check(GoogleRPC.Status.self), check(V1.ErrorDetail.self)]
    + checks(V1.ModelRPC.list)
    + checks(V1.ModelRPC.info)
    + checks(V1.ModelRPC.hooks)
    + checks(V1.ModelRPC.tokenize)
    + checks(V1.ModelRPC.detokenize)
    + checks(V1.ModelRPC.add)
    + checks(V1.ModelRPC.remove)
    + checks(V1.ModelRPC.pull)
    + checks(V1.DaemonRPC.status)
    + checks(V1.DaemonRPC.metrics)
    + checks(V1.DaemonRPC.cancel)
    + checks(V1.DaemonRPC.stop)
    + checks(V1.JobRPC.start)
    + checks(V1.JobRPC.get)
    + checks(V1.JobRPC.watch)
    + checks(V1.JobRPC.result)
    + checks(V1.JobRPC.cancel)
    + checks(V1.JobRPC.list)
    + checks(V1.JobRPC.forget)
    + checks(Reflection.ServerReflectionRPC.serverReflectionInfo)
    + checks(V1.TranscribeRPC.transcribe)
    + checks(V1.TranscribeRPC.stream)
    + checks(V1.TranscribeRPC.detectLanguage)
    + checks(V1.LiveRPC.listen)
    + checks(V1.PluginRPC.list)
    + checks(V1.PluginRPC.describe)
    + checks(V1.PluginRPC.run)
    + checks(V1.PluginRPC.merge)
    + checks(V1.PluginRPC.validate)
    + checks(V1.TraceRPC.run)
    + checks(V1.TraceRPC.runToEnd)
    + checks(V1.AudioRPC.upload)
    + checks(V1.AudioRPC.discard)
    + checks(V1.AudioRPC.clips)
    + checks(V1.AudioRPC.clip)
    + checks(Health.HealthRPC.check)
    + checks(Health.HealthRPC.watch)

private func checks<Q: ProtoMessage, A: ProtoMessage>(_: RPC<Q, A>) -> [Check] { [check(Q.self), check(A.self)] }

/// What was read and is written must be read as the same again: compared as bytes, since a NaN equals nothing.
private func check<M: ProtoMessage>(_: M.Type) -> Check {
    { bytes in
        guard let message = try? M(serialized: bytes) else { return }
        let written = message.serialized()
        do {
            let again = try M(serialized: written)
            precondition(again.serialized() == written, "\(M.fullName) does not survive being written and read")
        } catch let error as MessageError {
            // It is shorter than what came, and may have been too wasteful for its new length.
            precondition(error.kind == .tooLarge, "\(M.fullName) cannot be read again: \(error)")
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
