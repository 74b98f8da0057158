import CDescriptors
import Files
import Foundation
import Messages

/// One process and the calls that are made to it: one at a time, with a deadline. One thread at a time uses it.
final class PluginSession {
    let id: String
    let limits: PluginLimits
    let serve: (HostV1.Ask.Question) throws -> ServedAnswer
    let log: (V1.PluginLog) -> Void
    let progress: (V1.Progress) -> Void
    let result: (V1.PluginResult) throws -> Void
    private(set) var child: ChildProcess?
    /// Readable when the run was cancelled.
    private let wake: FileDescriptor
    private var inbox: FrameInbox
    private var lines: PluginLines
    private var outputs: [V1.PluginOutput] = []
    private var results = 0
    private var resultBytes = 0
    /// Why no call can be made any more.
    private(set) var endReason: PluginError?
    /// When the call under way must have been answered.
    private var deadline = ContinuousClock.now
    private var allowed = 0.0
    /// The furthest progress that the call under way has reported, by unit.
    private var furthest: [String: Double] = [:]
    private static let mostUnits = 16
    private var cancelSeen = false
    private var cancelled = false
    private var childEnded = false

    init(
        id: String, child: ChildProcess, wake: FileDescriptor, limits: PluginLimits,
        serve: @escaping (HostV1.Ask.Question) throws -> ServedAnswer, log: @escaping (V1.PluginLog) -> Void,
        progress: @escaping (V1.Progress) -> Void, result: @escaping (V1.PluginResult) throws -> Void
    ) {
        self.id = id
        self.child = child
        self.wake = wake
        self.limits = limits
        self.serve = serve
        self.log = log
        self.progress = progress
        self.result = result
        inbox = FrameInbox(longest: limits.resultBytes + (64 << 10))
        lines = PluginLines(most: limits.logLines)
    }

    /// What results are checked against.
    func declare(_ outputs: [V1.PluginOutput]) { self.outputs = outputs }

    /// Says `call` and waits until it is done.
    /// - Parameter state: gets the pieces of a saved state.
    /// - Throws: ``PluginError``. Where the plugin itself says that it failed, the process stays; after any other error
    ///   it is gone.
    func call(
        _ name: String, _ call: HostV1.ToPlugin.Call, instance: UInt32 = 0, memory: FileDescriptor? = nil,
        timeout: Double? = nil, state: (([UInt8]) throws -> Void)? = nil
    ) throws -> HostV1.Done {
        if let endReason { throw endReason }
        let done: HostV1.Done
        do {
            allow(timeout ?? limits.processTimeout)
            try send(HostV1.ToPlugin(instance: instance, call: call), memory, name)
            done = try answer(name, instance, state)
        } catch {
            end(with: error, in: name)
            throw error
        }
        guard done.status == Status.ok else { throw refusal(done, in: name) }
        return done
    }

    private func allow(_ seconds: Double) {
        // A cancellation is for good: what is called after it has no more time than its grace.
        allowed = cancelled ? min(seconds, limits.cancelGrace) : seconds
        deadline = .now + .seconds(allowed)
        furthest = [:]
    }

    /// Work that gets on has its time anew: how long it takes in all depends on the machine, and shall decide nothing.
    private func extend(by value: V1.Progress) {
        guard !cancelled, value.done <= value.total, value.done > furthest[value.unit] ?? 0,
            furthest[value.unit] != nil || furthest.count < Self.mostUnits
        else { return }
        furthest[value.unit] = value.done
        deadline = max(deadline, .now + .seconds(allowed))
    }

    private func answer(
        _ name: String, _ instance: UInt32, _ state: (([UInt8]) throws -> Void)?
    ) throws -> HostV1.Done {
        while true {
            let frame = try nextFrame(name)
            switch frame.message {
            case .done(let done)?: return done
            case .emit(let emit)?:
                guard name != "describe" else { throw broke("emitted a result before it was described") }
                try take(emit)
            case .log(let line)?: lines.add(line, log)
            case .progress(let value)?:
                guard value.done.isFinite, value.total.isFinite, value.unit.utf8.count <= 256 else {
                    throw broke("reported a progress of \(value.done) of \(value.total)")
                }
                extend(by: value)
                progress(V1.Progress(done: value.done, total: value.total, unit: value.unit))
            case .state(let piece)?:
                guard let state else { throw broke("sent a state in \(name)(), which asks for none") }
                try state(piece.bytes)
            case .ask(let ask)?:
                guard let question = ask.question else { throw broke("asked nothing") }
                try engine { try self.answer(question, instance, name) }
            case nil: throw broke("sent an empty message in \(name)()")
            }
        }
    }

    /// Runs `body`, whose time is not the plugin's.
    private func engine(_ body: () throws -> Void) throws {
        let start = ContinuousClock.now
        try body()
        deadline += ContinuousClock.now - start
    }

    private func answer(_ question: HostV1.Ask.Question, _ instance: UInt32, _ name: String) throws {
        let served = try serve(question)
        try send(HostV1.ToPlugin(instance: instance, call: .answer(served.answer)), served.memory, name)
    }

    private func take(_ emit: HostV1.Emit) throws {
        guard let result = emit.result else { throw broke("emitted nothing") }
        // The other side has checked all of this; who still sends it is not our host any more.
        if let problem = ResultCheck.problem(in: result, mayBeNaN: emit.mayBeNan, outputs: outputs) {
            throw broke("emitted what it may not: \(problem)")
        }
        results += 1
        resultBytes += result.packedSize
        guard results <= limits.results, resultBytes <= limits.allResultBytes else {
            throw broke(
                "emitted \(results) results of \(resultBytes) bytes together, at most \(limits.results) of "
                    + "\(limits.allResultBytes)")
        }
        try engine { try self.result(result) }
    }

    // MARK: - Frames

    private func send(_ message: HostV1.ToPlugin, _ memory: FileDescriptor?, _ name: String) throws {
        let frame: [UInt8]
        do { frame = try Frames.encode(message, longest: Frames.longestToPlugin) } catch let error as PluginError {
            throw PluginError(error.code, "plugin \(id), \(name)(): \(error.message)")
        }
        guard let child else { throw endReason ?? closed() }
        var sent = 0
        while sent < frame.count {
            let count = frame.withUnsafeBytes {
                auscult_send(
                    child.socket.number, $0.baseAddress.map { $0 + sent }, frame.count - sent,
                    sent == 0 ? memory?.number ?? -1 : -1)
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(name, writing: true)
                if childEnded { throw crash(name) }
            } else {
                throw crash(name)
            }
        }
    }

    private func nextFrame(_ name: String) throws -> HostV1.FromPlugin {
        while true {
            do {
                if let frame = try inbox.next(HostV1.FromPlugin.self) {
                    // Frames that come without end are no answer either.
                    guard ContinuousClock.now < deadline else { throw late(name) }
                    return frame
                }
            } catch let error as MessageError {
                throw broke("sent what is no message in \(name)(): \(error.message)")
            }
            if childEnded { throw crash(name) }
            try wait(name, writing: false)
        }
    }

    /// Waits until something can be done, and takes in what came.
    private func wait(_ name: String, writing: Bool) throws {
        guard let child else { throw endReason ?? closed() }
        let left = deadline - ContinuousClock.now
        guard left > .zero else { throw late(name) }
        var descriptors = [
            pollfd(fd: child.socket.number, events: Int16(POLLIN | (writing ? POLLOUT : 0)), revents: 0),
            pollfd(fd: child.ended.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: lines.outputEnded ? -1 : child.output.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: lines.errorsEnded ? -1 : child.errors.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: cancelSeen ? -1 : wake.number, events: Int16(POLLIN), revents: 0),
        ]
        if inbox.isFull { descriptors[0].events &= ~Int16(POLLIN) }
        // Waking up too early is harmless: whoever waits looks at the deadline again.
        let milliseconds = Int32(min(60_000, max(1, left / .milliseconds(1))).rounded(.up))
        guard poll(&descriptors, nfds_t(descriptors.count), milliseconds) >= 0 || errno == EINTR else {
            throw PluginError(.system, "plugin \(id): its process cannot be watched: \(systemReason())")
        }
        if descriptors[4].revents != 0 {
            cancelSeen = true
            cancelled = true
            deadline = min(deadline, .now + .seconds(limits.cancelGrace))
        }
        if descriptors[2].revents != 0 || descriptors[3].revents != 0 { readLines() }
        // What was sent before the end is there to be read, so the end is looked at first and the bytes after it.
        if descriptors[1].revents != 0 { childEnded = true }
        if descriptors[0].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 || childEnded {
            try receive(child, name)
        }
    }

    private func receive(_ child: ChildProcess, _ name: String) throws {
        try withUnsafeTemporaryAllocation(byteCount: 256 << 10, alignment: 16) { buffer in
            repeat {
                let count = auscult_receive(child.socket.number, buffer.baseAddress, buffer.count, nil)
                if count > 0 {
                    inbox.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                } else if count == 0 {
                    // It closed the socket, or its end did.
                    var ended = pollfd(fd: child.ended.number, events: Int16(POLLIN), revents: 0)
                    if !childEnded, poll(&ended, 1, 1000) <= 0 {
                        throw broke("closed its connection in \(name)()")
                    }
                    childEnded = true
                    return
                } else {
                    guard errno == EAGAIN || errno == ECONNRESET else {
                        throw PluginError(.system, "plugin \(id): its socket cannot be read: \(systemReason())")
                    }
                    return
                }
            } while childEnded && !inbox.isFull
        }
    }

    private func readLines() {
        guard let child else { return }
        lines.read(child.output, .output, log)
        lines.read(child.errors, .errors, log)
    }

    // MARK: - The end

    /// Whether it wrote to its standard output.
    var hasWrittenOutput: Bool { lines.outputBytes > 0 }

    /// Lets the process end by itself, and kills it where it does not.
    /// - Returns: whether it ended by itself with code 0.
    @discardableResult
    func leave(instances: [UInt32], timeout: Double) -> Bool {
        guard endReason == nil, let child else { return false }
        var willing = true
        do {
            for instance in instances {
                _ = try call("destroy", .destroy(HostV1.Destroy()), instance: instance, timeout: timeout)
            }
            allow(timeout)
            try send(HostV1.ToPlugin(call: .leave(HostV1.Leave())), nil, "deinit")
            while !childEnded { try wait("deinit", writing: false) }
        } catch {
            willing = false
            log(V1.PluginLog(level: "warning", message: "it was killed while it was to end: \(error)"))
        }
        let exit = child.end()
        end(with: closed(), in: "deinit")
        return willing && exit.code == 0
    }

    func end(with error: any Error, in name: String) {
        guard endReason == nil, let child else { return }
        _ = child.end()
        readLines()
        lines.flush(log)
        self.child = nil
        endReason =
            (error as? PluginError).map {
                $0.isCrash || $0 == closed()
                    ? $0 : PluginError($0.code, "plugin \(id): the run ended before: \($0.message)")
            } ?? PluginError(.cancelled, "plugin \(id): the run ended before, in \(name)(): \(error)")
    }

    private func refusal(_ done: HostV1.Done, in name: String) -> PluginError {
        let reason = done.error.isEmpty ? "it gives no reason" : DescriptionCheck.shown(done.error, 2000)
        var code = ErrorCode(pluginStatus: done.status)
        if code == .failed, name == "describe" { code = .brokenBundle }
        return PluginError(code, "plugin \(id) refused in \(name)(): \(reason)")
    }

    private func closed() -> PluginError { PluginError(.failed, "plugin \(id): its process was closed") }

    private func crash(_ name: String) -> PluginError {
        guard let child else { return endReason ?? closed() }
        // It may have closed the socket on its way to its end.
        var ended = pollfd(fd: child.ended.number, events: Int16(POLLIN), revents: 0)
        poll(&ended, 1, 1000)
        let sentence = child.end().sentence(limits)
        return PluginError(cancelled ? .cancelled : .crashed, "plugin \(id) \(sentence) in \(name)()")
    }

    private func broke(_ what: String) -> PluginError {
        PluginError(.brokeRules, "plugin \(id) \(what); its process was killed")
    }

    private func late(_ name: String) -> PluginError {
        cancelled
            ? PluginError(
                .cancelled,
                "plugin \(id) did not end \(name)() within \(limits.cancelGrace) s of being cancelled; "
                    + "its process was killed")
            : PluginError(
                .noAnswer, "plugin \(id) gave no answer in \(name)() within \(allowed) s; its process was killed")
    }
}
