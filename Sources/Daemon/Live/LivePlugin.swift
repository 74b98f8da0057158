import Audio
import Foundation
import Kernels
import PluginHost
import Synchronization
import Whisper

/// A plugin that hears sound while it is made: its process, what it needs of each stretch of sound, and what it gives.
///
/// It is started and told its arguments before sound comes. Where it fails, that is told among the events, and it hears no more; the
/// session goes on without it.
final class LivePlugin: Sendable {
    /// Its place among the session's plugins.
    let number: Int
    /// Hook points whose activations it needs.
    let points: Set<HookPoint>
    /// Whether it hears silence as well: nothing is computed for it.
    var hearsSilence: Bool { points.isEmpty }
    private let needs: PluginNeedsValue
    private let dimensions: ModelDimensions
    private let name: String
    private let worker: Mutex<Worker>
    private let news = News()

    /// Sendable: used by one step of its lane at a time, under the lock.
    private struct Worker: @unchecked Sendable {
        let worker: PluginWorker
        var clips = 0
        var hasFailed = false
        /// The newest sound that it heard.
        var span = 0.0...0.0
    }

    /// What it said since it was last asked.
    private final class News: Sendable {
        let waiting = Mutex<[LivePluginNews.Kind]>([])

        func take() -> [LivePluginNews.Kind] {
            waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
        }
    }

    /// - Parameters:
    ///   - plugin: what was found by the name that was asked for.
    ///   - turn: of the plugin alone: it has the engine only while the plugin asks something of it.
    ///   - name: what the sound is called, in results.
    /// - Throws: ``ServiceError`` (`mismatch`) for a plugin that does not say that it can stream, or needs what a live session
    ///   does not have; `invalidArgument` for arguments that make no sense; ``PluginHost/PluginError`` for what goes wrong in it.
    init(
        _ plugin: FoundPlugin, _ wanted: LiveOptions.Plugin, number: Int, model: LoadedModel, turn: EngineTurn,
        folder: String, running: RunningPlugins, name: String
    ) throws {
        self.number = number
        self.name = name
        dimensions = model.dimensions
        let services = EngineServices(plugin: plugin.id, model: model, turn: turn, folder: folder, context: .auto)
        let news = news
        let worker = try PluginWorker(
            plugin, turn: turn, services: services, running: running,
            access: PluginAccess(wanted.arguments, wanted.permissions),
            log: { log in news.waiting.withLock { $0.append(.log(log)) } },
            tell: { event in Self.take(event, news) })
        do {
            let description = try worker.call { try $0.describe() }
            needs = try worker.create(try description.arguments(wanted.arguments))
            points = try Self.points(of: needs, plugin.id, model.dimensions)
            let run = try PluginRunValue(model, recordings: 1, seed: 0)
            try worker.call { try $0.activate(run) }
            news.waiting.withLock { $0.insert(.description(description), at: 0) }
        } catch {
            worker.close()
            throw error
        }
        self.worker = Mutex(Worker(worker: worker))
    }

    /// A value of a megabyte is nothing to be read while somebody speaks.
    private static func take(_ event: RunEvent, _ news: News) {
        news.waiting.withLock { waiting in
            switch event {
            case .result(let result) where result.continues:
                waiting.append(
                    .log(
                        PluginLog(
                            level: "warning",
                            message: "its result '\(result.output)' has more than 1 MiB, and is not shown live")))
            case .result(let result): waiting.append(.result(result))
            default: break
            }
        }
    }

    /// The hook points that it hears, each of which has a row for each frame.
    private static func points(
        of needs: PluginNeedsValue, _ plugin: String, _ dimensions: ModelDimensions
    ) throws -> Set<HookPoint> {
        func refusal(_ reason: String) -> ServiceError {
            ServiceError(.mismatch, "\(plugin) cannot hear sound while it is made: \(reason)")
        }
        guard needs.canStream else {
            throw refusal("it does not say that it can stream; 'auscult run' has it hear recordings")
        }
        guard !needs.nothingToHear else { throw refusal("it hears nothing at all") }
        let points = Set(try needs.hooks.flatMap { try HookPoint.matching($0, in: dimensions) })
        for point in points.sorted(by: { $0.name < $1.name }) {
            guard point.isEncoder, let axis = point.axes.first, axis == "frame" || axis == "mel_frame" else {
                throw refusal(
                    "it needs \(point), which has the axes \(point.axes.joined(separator: ", ")); expected an encoder "
                        + "activation, frame by frame")
            }
        }
        return points
    }

    // MARK: - Hearing

    /// What it was told and said before any sound.
    func begin() -> [LiveEvent] { events(0...0) }

    /// Lets the plugin hear some frames of a context, while others compute.
    /// - Parameters:
    ///   - captured: activations of the context's frames.
    ///   - frames: those that the plugin is to hear, from the context's beginning.
    /// - Returns: what it says of them.
    /// - Throws: what ends the session: its cancellation.
    func hear(
        _ sound: RollingSound, _ captured: [CapturedTensor], frames: Range<Int>, _ turn: EngineTurn?
    ) throws -> [LiveEvent] {
        let first = sound.context.start + frames.lowerBound
        let span = sound.seconds(first)...sound.secondsHeard(sound.context.start + frames.upperBound)
        try attempt(span, turn) { worker in
            let clip = clip(sound, captured, frames: frames, span, number: worker.clips)
            try worker.worker.call { try $0.process(clip) }
            worker.clips += 1
        }
        return events(span)
    }

    /// What it has to say of all that it heard; after which it hears no more.
    func finish(_ turn: EngineTurn?) throws -> [LiveEvent] {
        let span = worker.withLock { $0.span }
        try attempt(span, turn) { try $0.worker.call { try $0.finish() } }
        worker.withLock {
            $0.hasFailed = true
            $0.worker.close()
        }
        return events(span)
    }

    /// Tells that the engine had no time for some sound.
    func unheard(_ span: ClosedRange<Double>) {
        let times = String(format: "%.2f to %.2f s", span.lowerBound, span.upperBound)
        news.waiting.withLock {
            $0.append(.log(PluginLog(level: "warning", message: "did not hear \(times): the engine was busy")))
        }
    }

    private func attempt(_ span: ClosedRange<Double>, _ turn: EngineTurn?, _ body: (inout Worker) throws -> Void) throws
    {
        func work() throws {
            try worker.withLock { worker in
                guard !worker.hasFailed else { return }
                worker.span =
                    min(span.lowerBound, worker.span.lowerBound)...max(span.upperBound, worker.span.upperBound)
                do { try body(&worker) } catch let error as ServiceError where error.code == .cancelled {
                    throw error
                } catch {
                    worker.hasFailed = true
                    worker.worker.close()
                    news.waiting.withLock { $0.append(.failure("\(error)")) }
                }
            }
        }
        if let turn { try turn.suspended(work) } else { try work() }
    }

    private func events(_ span: ClosedRange<Double>) -> [LiveEvent] {
        news.take().map {
            .plugin(LivePluginNews(plugin: number, start: span.lowerBound, end: span.upperBound, kind: $0))
        }
    }

    // MARK: - A clip

    private func clip(
        _ sound: RollingSound, _ captured: [CapturedTensor], frames: Range<Int>, _ span: ClosedRange<Double>,
        number: Int
    ) -> PluginClipValue {
        let first = sound.context.start + frames.lowerBound
        let samples =
            frames.lowerBound
            * EncoderFrames.samples..<min(
                frames.upperBound * EncoderFrames.samples, sound.samples)
        return PluginClipValue(
            window: number, windowCount: 0, name: name, start: span.lowerBound,
            duration: Double(samples.count) / Double(SampleBuffer.sampleRate), validFrames: frames.count,
            tensors: captured.map { Self.tensor($0, frames: frames, first: sound.firstFrame + first, dimensions) },
            samples: needs.audio ? Array(sound.mel.samples[samples]) : nil)
    }

    /// The rows of an activation that belong to some frames.
    private static func tensor(
        _ captured: CapturedTensor, frames: Range<Int>, first: Int, _ dimensions: ModelDimensions
    ) -> PluginTensor {
        // A log-mel frame is half as long.
        let each = captured.hook.position == .melFrame ? 2 : 1
        let rows = (frames.lowerBound * each..<frames.upperBound * each).clamped(to: 0..<captured.positions)
        return PluginTensor(
            captured.tensor.rows(rows), hook: captured.hook.name, axes: captured.axes, firstPosition: first * each,
            positionsPerSecond: captured.positionsPerSecond ?? 0, validPositions: rows.count)
    }
}

/// What a plugin of a session says.
struct LivePluginNews: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// What it is; before all else.
        case description(PluginDescription)
        case result(PluginResult)
        case log(PluginLog)
        /// It went wrong, and hears no more.
        case failure(String)
    }

    /// Its place among the session's plugins.
    var plugin: Int
    /// The sound that it is about, or had heard when it said so, in seconds.
    var start: Double
    var end: Double
    var kind: Kind
}
