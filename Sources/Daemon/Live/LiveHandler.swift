import Audio
import CaptureChannel
import Foundation
import Messages
import Wire

/// Sound while it is being made, over the wire.
///
/// Samples are taken as they come and processed when a step is full and the engine is free; a client that sends faster
/// than they are processed waits. Events do not wait for their reader.
struct LiveHandler {
    let engine: Engine
    let capture: CaptureHub
    let plugins: PluginService

    /// Samples that may wait to be processed: half a minute.
    private static let mostBacklog = 30 * SampleBuffer.sampleRate
    /// Bytes of events on their way, so that what is read is not old.
    private static let mostOnTheWay = 64 << 10
    private static let mostLost = UInt64(24 * 3600 * SampleBuffer.sampleRate)

    var methods: [ServerMethod] {
        [
            V1.LiveRPC.listen.handle { inputs, answers, context in
                try await listen(inputs, answers, context)
            }.untilDraining(),
            V1.LiveRPC.devices.handle { _, _ in
                let devices = try await Self.blocking { try CaptureHub.devices() }
                return V1.ListSoundDevicesResponse(devices: devices.map { V1.SoundDevice($0) })
            },
        ]
    }

    private static func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
        }
    }

    private func listen(
        _ inputs: RequestStream<V1.LiveInput>, _ answers: ResponseStream<V1.LiveEvent>, _ context: CallContext
    ) async throws {
        var iterator = inputs.makeAsyncIterator()
        guard case .open(let request)? = try await iterator.next()?.input else {
            throw ServiceError(.invalidArgument, "the first message must be 'open'")
        }
        let open = try context.resolving(request, engine.store.service)
        try context.limit(milliseconds: open.deadlineMs)
        let options = try await options(of: open, context)
        let running = RunningPlugins()
        try await plugins.cancelling(running, deadline: context.deadline) {
            try await listen(iterator, answers, context, open, options, running)
        }
    }

    /// What is asked for, with absolute paths.
    private func options(of open: V1.LiveOpen, _ context: CallContext) async throws -> LiveOptions {
        var options = try LiveOptions(open)
        guard !options.plugins.isEmpty else { return options }
        let folder = try context.folder(engine.store.service)
        let named = options.plugins
        options.plugins = try await Self.blocking {
            try plugins.resolved(named, open.pluginFolders) { try folder.absolute($0) }
        }
        return options
    }

    private func listen(
        _ iterator: RequestStream<V1.LiveInput>.AsyncIterator, _ answers: ResponseStream<V1.LiveEvent>,
        _ context: CallContext, _ open: V1.LiveOpen, _ options: LiveOptions, _ running: RunningPlugins
    ) async throws {
        let device = open.device?.name
        let (line, lease) = try await engine.queue.run(client: context.client, deadline: context.deadline) { turn in
            let lease = try engine.lease(ModelReference(open.model), turn)
            let started = try turn.suspended {
                try plugins.live(
                    options.plugins, open.pluginFolders, model: lease.model, client: context.client, running: running,
                    name: device.map { $0.isEmpty ? "microphone" : $0 } ?? "sound")
            }
            return (try LiveLine(model: lease.model, options: options, plugins: started, turn: turn), lease)
        }
        try await answers.send(V1.LiveEvent(event: .started(V1.Started(subscriptionId: context.subscriptionID))))
        let listener = Listener(
            engine: engine, lease: lease, line: line, context: context, news: device.map(capture.listen))
        let rest = iterator
        // Where one of them ends with an error, the others are cancelled.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // Who reads the events meets an error after those that came before.
                do { try await listener.receive(rest) } catch { line.fail(error) }
            }
            group.addTask {
                do { try await listener.takeSteps() } catch {
                    line.fail(error)
                }
            }
            group.addTask {
                while let event = try await line.events.next() {
                    try await answers.send(V1.LiveEvent(event), whenBelow: Self.mostOnTheWay)
                }
            }
            try await group.waitForAll()
        }
    }

    /// One listener: samples come in at one end, steps are taken at the other.
    private struct Listener: Sendable {
        let engine: Engine
        /// It listens with the model that it began with, whatever becomes of its name or its files.
        let lease: ModelLease
        let line: LiveLine
        let context: CallContext
        /// What the device gives, where one is listened to.
        let news: AsyncThrowingStream<CaptureNews, any Error>?
        /// A step was taken.
        private let stepped = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

        init(
            engine: Engine, lease: ModelLease, line: LiveLine, context: CallContext,
            news: AsyncThrowingStream<CaptureNews, any Error>?
        ) {
            self.engine = engine
            self.lease = lease
            self.line = line
            self.context = context
            self.news = news
        }

        /// Takes what comes until the client sends no more.
        func receive(_ inputs: RequestStream<V1.LiveInput>.AsyncIterator) async throws {
            guard let news else { return try await receiveSent(inputs) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await event in news { try take(event) }
                }
                group.addTask {
                    var inputs = inputs
                    while let input = try await inputs.next() { try await take(input) }
                }
                // Either is the end: of the client's side, or of the device.
                try await group.next()
                group.cancelAll()
            }
            line.finish()
        }

        private func take(_ news: CaptureNews) throws {
            switch news {
            case .source(let source): line.tell(source)
            case .sound(let sound):
                try line.append(
                    sound.samples, captured: sound.captured, position: sound.position, reason: sound.reason)
            }
        }

        private func receiveSent(_ inputs: RequestStream<V1.LiveInput>.AsyncIterator) async throws {
            var inputs = inputs
            var steps = stepped.stream.makeAsyncIterator()
            while let input = try await inputs.next() {
                try await take(input)
                while line.backlog > LiveHandler.mostBacklog, await steps.next() != nil {}
            }
            line.finish()
        }

        private func take(_ input: V1.LiveInput) async throws {
            switch input.input {
            case .pcmS16le where news != nil, .sound where news != nil:
                throw ServiceError(.invalidArgument, "sound was sent, but this call listens to a device")
            case .pcmS16le(let bytes)?: try line.append(samples(bytes))
            case .sound(let sound)?:
                guard sound.lost <= LiveHandler.mostLost else {
                    throw ServiceError(.invalidArgument, "\(sound.lost) samples were lost; expected a day's at most")
                }
                try line.append(
                    samples(sound.pcmS16le), captured: sound.capturedUnixNs == 0 ? nil : sound.capturedUnixNs,
                    lost: Int(sound.lost))
            case .interventions(let message)?:
                let models = engine.store.service
                let specs = try InterventionSpec.all(message.interventions.map { try context.resolving($0, models) })
                if try specs.contains(where: { try $0.needsHearing }) {
                    try await engine.queue.run(client: context.client) { [line, lease] turn in
                        try line.steer(specs, lease.model, turn)
                    }
                } else {
                    try line.steer(specs)
                }
            case .mark(let mark)?: line.mark(mark.label)
            case .open?, nil:
                throw ServiceError(
                    .invalidArgument, "after 'open' every message must be sound, 'interventions' or 'mark'")
            }
        }

        /// Takes steps in every lane whenever one is full, and a last one when all samples are there.
        func takeSteps() async throws {
            defer { stepped.continuation.finish() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for lane in line.lanes { group.addTask { try await takeSteps(lane) } }
                group.addTask { for await _ in line.heard.stream {} }
                try await group.waitForAll()
            }
            line.end()
        }

        private func takeSteps(_ lane: LiveLine.Lane) async throws {
            let client = lane.isUrgent ? context.client.beside : context.client
            func run(_ body: @escaping @Sendable (EngineTurn) throws -> [LiveEvent]) async throws {
                let events = try await engine.queue.run(client: client, isUrgent: lane.isUrgent, body)
                line.events.push(events)
                stepped.continuation.yield()
            }
            for await _ in lane.ready.stream { try await run { try lane.lane.step($0) } }
            try Task.checkCancellation()
            try await run { try lane.lane.close($0) + lane.finish($0) }
        }

        private func samples(_ bytes: [UInt8]) throws -> [Int16] {
            guard bytes.count <= 1 << 20, bytes.count % 2 == 0 else {
                throw ServiceError(
                    .invalidArgument,
                    "pcm_s16le has \(bytes.count) bytes; expected an even number, at most 1 MiB")
            }
            return (0..<bytes.count / 2).map {
                Int16(bitPattern: UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8)
            }
        }
    }
}

extension V1.SoundDevice {
    fileprivate init(_ device: CaptureDevice) {
        self.init(
            number: UInt32(clamping: device.number), name: device.name, hostApi: device.hostAPI,
            channels: UInt32(clamping: device.channels), sampleRate: device.rate, latency: device.latency,
            isDefault: device.isDefault)
    }
}
