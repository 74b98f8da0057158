import Audio
import Messages
import Wire

/// Sound while it is being made, over the wire.
///
/// Samples are taken as they come and processed when a step is full and the engine is free; a client that sends faster
/// than they are processed waits. Events do not wait for their reader.
struct LiveHandler {
    let engine: Engine

    /// Samples that may wait to be processed: half a minute.
    private static let mostBacklog = 30 * SampleBuffer.sampleRate
    /// Bytes of events on their way, so that what is read is not old.
    private static let mostOnTheWay = 64 << 10

    var methods: [ServerMethod] {
        [
            V1.LiveRPC.listen.handle { inputs, answers, context in
                try await listen(inputs, answers, context)
            }.untilDraining()
        ]
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
        let options = try LiveOptions(open)
        let session = try await engine.run(open.model, client: context.client, deadline: context.deadline) { model, _ in
            try LiveSession(model: model, options: options)
        }
        try await answers.send(V1.LiveEvent(event: .started(V1.Started(subscriptionId: context.subscriptionID))))
        let events = LiveEvents()
        let listener = Listener(
            engine: engine, model: open.model, session: session, events: events, client: context.client)
        let rest = iterator
        // Where one of them ends with an error, the others are cancelled.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await listener.receive(rest) }
            group.addTask {
                do { try await listener.takeSteps() } catch {
                    // Who reads the events meets it after those that came before.
                    events.finish(error)
                }
            }
            group.addTask {
                while let event = try await events.next() {
                    try await answers.send(V1.LiveEvent(event), whenBelow: Self.mostOnTheWay)
                }
            }
            try await group.waitForAll()
        }
    }

    /// One listener: samples come in at one end, steps are taken at the other.
    private struct Listener: Sendable {
        let engine: Engine
        /// Leased for every step, so that it counts as used while it is.
        let model: V1.ModelRef?
        let session: LiveSession
        let events: LiveEvents
        let client: ClientID
        /// A step is full.
        private let ready = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        /// A step was taken.
        private let stepped = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

        init(engine: Engine, model: V1.ModelRef?, session: LiveSession, events: LiveEvents, client: ClientID) {
            self.engine = engine
            self.model = model
            self.session = session
            self.events = events
            self.client = client
        }

        /// Takes samples until there are no more.
        func receive(_ inputs: RequestStream<V1.LiveInput>.AsyncIterator) async throws {
            var inputs = inputs
            var steps = stepped.stream.makeAsyncIterator()
            while let input = try await inputs.next() {
                session.append(try samples(input))
                if session.isReady { ready.continuation.yield() }
                while session.backlog > LiveHandler.mostBacklog, await steps.next() != nil {}
            }
            ready.continuation.finish()
        }

        /// Takes a step whenever one is full, and a last one when all samples are there.
        func takeSteps() async throws {
            defer { stepped.continuation.finish() }
            for await _ in ready.stream {
                events.push(try await run { try session.step($0) })
                stepped.continuation.yield()
            }
            try Task.checkCancellation()
            events.push(try await run { try session.finish($0) })
            events.finish()
        }

        private func run<R: Sendable>(_ body: @escaping @Sendable (EngineTurn) throws -> R) async throws -> R {
            try await engine.run(model, client: client, deadline: nil) { _, turn in try body(turn) }
        }

        private func samples(_ input: V1.LiveInput) throws -> [Int16] {
            guard case .pcmS16le(let bytes)? = input.input else {
                throw ServiceError(.invalidArgument, "after 'open' every message must be 'pcm_s16le'")
            }
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

// MARK: - Values

extension LiveOptions {
    /// - Throws: ``ServiceError`` (`invalidArgument`) for a padding that is none.
    init(_ message: V1.LiveOpen) throws {
        self.init()
        language = message.language.language
        transcribes = message.transcribe
        features = message.features.map {
            Feature(hook: $0.hook, index: Int($0.index), dictionary: $0.dictionary.nonEmpty)
        }
        if message.stepMs > 0 { step = Double(message.stepMs) / 1000 }
        window = message.windowMs > 0 ? Double(message.windowMs) / 1000 : nil
        padding = try WindowPadding(message.padding) ?? padding
    }
}

extension V1.LiveEvent {
    init(_ numbered: LiveEvents.Numbered) {
        let event: Event =
            switch numbered.event {
            case .level(let start, let end, let rms, let peak):
                .level(V1.LiveLevel(start: start, end: end, rmsDb: rms, peakDb: peak))
            case .hypothesis(let start, let end, let text):
                .hypothesis(V1.LiveHypothesis(start: start, end: end, text: text))
            case .segment(let segment):
                .segment(
                    V1.LiveSegment(
                        start: segment.start, end: segment.end, text: segment.text, avgLogprob: segment.avgLogprob,
                        noSpeechProb: segment.noSpeechProb))
            case .activations(let start, let framesPerSecond, let values):
                .activations(
                    V1.LiveActivations(
                        start: start, framesPerSecond: framesPerSecond,
                        features: values.map { V1.FeatureValues(values: $0) }))
            case .end(let duration, let skippedSteps, let padding):
                .end(V1.LiveEnd(duration: duration, skippedSteps: skippedSteps, padding: padding.message))
            }
        self.init(seq: numbered.seq, dropped: numbered.dropped, event: event)
    }
}
