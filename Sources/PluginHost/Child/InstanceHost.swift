import CAuscultPlugin
import Foundation
import Messages

/// What one process may give, in all.
final class ResultBudget {
    var results: UInt64
    var bytes: UInt64
    let one: Int

    init(_ load: HostV1.Load) {
        results = load.results
        bytes = load.allResultBytes
        one = Int(clamping: load.resultBytes)
    }
}

/// The host as one instance sees it: C's `auscult_host`, and what stands behind it. It lives as long as the
/// instance.
///
/// The plugin thread makes it, and calls everything but ``log(_:_:)``, ``progress(_:_:_:)`` and the channel's
/// ``HostChannel/isCancelled``, which only read what never changes.
final class InstanceHost {
    /// What a line of the log about a refused result begins with.
    static let refusedResult = "a result was refused: "
    private static let mostRefusalsLogged = 20

    let number: UInt32
    let channel: HostChannel
    private let outputs: [V1.PluginOutput]
    private let budget: ResultBudget
    private let thread = pthread_self()
    private var refusals = 0
    private var errorText: UnsafeMutablePointer<CChar>
    private(set) var folder: UnsafeMutablePointer<CChar>?
    let c: UnsafeMutablePointer<auscult_host>
    private let name = strdup("auscult")
    private let version = strdup("1.0")

    init(_ number: UInt32, _ channel: HostChannel, _ outputs: [V1.PluginOutput], _ budget: ResultBudget) {
        self.number = number
        self.channel = channel
        self.outputs = outputs
        self.budget = budget
        errorText = strdup("")
        c = .allocate(capacity: 1)
        c.initialize(to: auscult_host())
        c.pointee.struct_size = UInt32(MemoryLayout<auscult_host>.size)
        c.pointee.abi_major = UInt16(AUSCULT_ABI_MAJOR)
        c.pointee.abi_minor = UInt16(AUSCULT_ABI_MINOR)
        c.pointee.name = UnsafePointer(name)
        c.pointee.version = UnsafePointer(version)
        c.pointee.context = Unmanaged.passUnretained(self).toOpaque()
        c.pointee.emit = { host, id, value in InstanceHost.behind(host)?.emit(id, value) ?? Status.failed }
        c.pointee.get_extension = { _, id in HostExtensions.named(id) }
        c.pointee.last_error = { host in InstanceHost.behind(host).map { UnsafePointer($0.errorText) } }
    }

    deinit {
        free(errorText)
        free(folder)
        free(name)
        free(version)
        c.deinitialize(count: 1)
        c.deallocate()
    }

    static func behind(_ host: UnsafePointer<auscult_host>?) -> InstanceHost? {
        host?.pointee.context.map { Unmanaged<InstanceHost>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Remembers why, for last_error().
    func refuse(_ status: auscult_status, _ reason: String) -> auscult_status {
        free(errorText)
        errorText = strdup(reason)
        return status
    }

    var isOnPluginThread: Bool { pthread_equal(thread, pthread_self()) != 0 }

    // MARK: - Results

    func emit(_ id: UnsafePointer<CChar>?, _ value: UnsafePointer<auscult_value>?) -> auscult_status {
        guard isOnPluginThread else { return Status.failed }
        do {
            try give(CReading.result(id, value, most: budget.one))
            return Status.ok
        } catch let error as ResultTooLarge {
            return refuseResult(Status.limit, "\(error)")
        } catch {
            return refuseResult(Status.invalidArgument, "\(error)")
        }
    }

    private func give(_ emit: HostV1.Emit) throws {
        guard let result = emit.result else { return }
        if let problem = ResultCheck.problem(in: result, mayBeNaN: emit.mayBeNan, outputs: outputs) {
            throw PluginFault(problem)
        }
        let size = result.packedSize
        guard size <= budget.one else {
            throw ResultTooLarge("the result \(result.outputId) has \(size) bytes, at most \(budget.one)")
        }
        guard budget.results > 0, budget.bytes >= UInt64(size) else {
            throw ResultTooLarge("the run has all the results that it may have")
        }
        budget.results -= 1
        budget.bytes -= UInt64(size)
        channel.send(HostV1.FromPlugin(instance: number, message: .emit(emit)))
    }

    /// A plugin that does not look at the status would lose its result in silence, so the log has it too.
    private func refuseResult(_ status: auscult_status, _ reason: String) -> auscult_status {
        if refusals < Self.mostRefusalsLogged {
            refusals += 1
            let line = V1.PluginLog(level: "warning", message: Self.refusedResult + reason)
            channel.send(HostV1.FromPlugin(instance: number, message: .log(line)))
        }
        return refuse(status, reason)
    }

    // MARK: - Log, from any thread

    func log(_ level: Int32, _ message: UnsafePointer<CChar>?) {
        let text = message.map {
            String(decoding: UnsafeRawBufferPointer(start: $0, count: strnlen($0, 4096)), as: UTF8.self)
        }
        let line = V1.PluginLog(level: logLevelName(level), message: text ?? "")
        channel.send(HostV1.FromPlugin(instance: number, message: .log(line)))
    }

    func progress(_ done: Double, _ total: Double, _ unit: UnsafePointer<CChar>?) {
        guard done.isFinite, total.isFinite else { return }
        let unit = unit.map {
            String(decoding: UnsafeRawBufferPointer(start: $0, count: strnlen($0, 64)), as: UTF8.self)
        }
        channel.send(
            HostV1.FromPlugin(
                instance: number, message: .progress(V1.Progress(done: done, total: total, unit: unit ?? ""))))
    }

    // MARK: - Questions to the engine

    /// Asks, and gives what came; nil with a status where it was refused.
    func ask(_ question: HostV1.Ask.Question) -> (status: auscult_status, answer: HostV1.Answer, memory: MappedMemory?)
    {
        channel.send(HostV1.FromPlugin(instance: number, message: .ask(HostV1.Ask(question: question))))
        let (call, memory) = channel.receive()
        guard case .answer(let answer)? = call.call else { _exit(72) }
        return (answer.status == Status.ok ? Status.ok : refuse(answer.status, answer.error), answer, memory)
    }

    /// Asks, and hands the tensors that came to `sink`.
    /// - Parameter answered: gets the answer before them.
    func ask(
        _ question: HostV1.Ask.Question, _ sink: auscult_tensor_sink?, _ context: UnsafeMutableRawPointer?,
        answered: (HostV1.Answer) -> Void = { _ in }
    ) -> auscult_status {
        guard let sink else { return refuse(Status.invalidArgument, "the sink is NULL") }
        let (status, answer, memory) = ask(question)
        guard status == Status.ok else { return status }
        answered(answer)
        guard let memory else { return refuse(Status.failed, "no tensors came") }
        for tensor in answer.tensors {
            let values = CallMemory()
            defer { withExtendedLifetime((values, memory)) {} }
            var c = values.tensor(tensor, in: memory)
            let status = sink(context, &c)
            guard status == Status.ok else { return refuse(status, "the sink ended it with status \(status)") }
        }
        return Status.ok
    }

    /// The plugin's folder; nil where it was refused.
    func statePath() -> UnsafePointer<CChar>? {
        if folder == nil {
            let (status, answer, _) = ask(.folder(HostV1.AskFolder()))
            guard status == Status.ok else { return nil }
            folder = strdup(answer.text)
        }
        return folder.map { UnsafePointer($0) }
    }
}
