import Audio
import DataSets
import Foundation
import Kernels
import PluginHost
import Synchronization

/// The windows of a run's recordings, made ahead of the plugin in their order: one thread reads recordings and makes log-mels
/// of them, another has the engine compute what the plugin needs and puts it where the plugin can read it, while the
/// plugin still works on the window before.
///
/// What is in memory does not grow with the recordings: one that is being read, ``read`` windows of samples and log-mel,
/// and of what the engine computed one window that is being made and ``ready`` that the plugin works on or will next.
/// After a window that is too large for the plugin's kept memory nothing is computed until the plugin is through with it.
final class WindowsAhead: Sendable {
    /// Windows that were read and wait, the one in the engine among them.
    static let read = 3
    /// Windows that lie where the plugin can read them, the one that it works on among them.
    static let ready = 2

    /// What comes next for the plugin.
    enum Step: Sendable {
        case window(Window)
        /// A recording has no windows, since it cannot be read, or has not the words that changes are placed by.
        case unreadable(any Error)
    }

    /// A window that lies where the plugin can read it.
    struct Window: Sendable {
        /// The number of its recording.
        let recording: UInt64
        /// The recording, of its first window.
        let begins: RecordingInfo?
        let isLast: Bool
        /// The plugin's call, which is made once.
        let process: @Sendable () throws -> Void
    }

    private enum ReadStep: Sendable {
        case window(PluginCapture.ReadWindow, begins: RecordingInfo?, isLast: Bool)
        case unreadable(any Error)
    }

    private let readAhead = BoundedHandover<ReadStep>(capacity: WindowsAhead.read)
    private let computed = BoundedHandover<Step>(capacity: WindowsAhead.ready)
    private let threads = DispatchGroup()
    private let spent = Mutex(Duration.zero)
    /// Of recordings that were read, by their places in the data set.
    private let noticed = Mutex<[Int: [Notice]]>([:])

    /// Time in the engine; all of it after ``end()``.
    var engineTime: Duration { spent.withLock { $0 } }

    /// - Parameters:
    ///   - turn: of the run, whose thread takes the steps and has let the engine go.
    ///   - runner: gets the windows by ``PluginRunner/stage(_:)``.
    init(
        _ recordings: ArraySlice<PluginRecording>, _ capture: PluginCapture, _ runner: any PluginRunner,
        turn: EngineTurn
    ) throws {
        let engine = turn.companion()
        do {
            try start { [self] in
                // Its log-mels are not to take the kernels' threads from the engine.
                let end = Result {
                    try Parallel.onCallingThread { try read(recordings, capture, into: readAhead) }
                }
                readAhead.finish(end)
            }
            try start { [self] in
                computed.finish(Result { try compute(capture, runner, engine) })
            }
        } catch {
            end()
            throw error
        }
    }

    private func start(_ body: @escaping @Sendable () -> Void) throws {
        threads.enter()
        do {
            try EngineThread.start { [threads] in
                body()
                threads.leave()
            }
        } catch {
            threads.leave()
            throw error
        }
    }

    /// The next step, waited for; nil after the last. What the step before gave is done with.
    func next() throws -> Step? { try computed.take() }

    /// What there is to know about a recording whose windows have come; once.
    func notices(of item: DataSetItem) -> [Notice] {
        noticed.withLock { $0.removeValue(forKey: item.index) ?? [] }
    }

    /// Ends both threads, and comes back when they have ended: at the end of the recording that is being read, and of the
    /// window that is being computed.
    func end() {
        computed.close()
        readAhead.close()
        threads.wait()
    }

    // MARK: - The reading thread

    private func read(
        _ recordings: ArraySlice<PluginRecording>, _ capture: PluginCapture, into steps: BoundedHandover<ReadStep>
    ) throws {
        var digests = RecordingDigests()
        for recording in recordings {
            let item: DataSetItem, windows: RecordingWindows, info: RecordingInfo
            do {
                let (input, seconds) = try recording.input()
                item = try recording.item.aligned()
                let samples = try input.read(seconds: seconds)
                if !samples.notices.isEmpty { noticed.withLock { $0[recording.item.index] = samples.notices } }
                windows = try capture.windows(of: samples)
                info = recording.info(sha256: try digests.digest(of: input.source), samples)
            } catch {
                guard try steps.put({ .unreadable(error) }) else { return }
                continue
            }
            for index in 0..<windows.count {
                let isThere = try steps.put {
                    let window = try capture.read(index, of: windows, item)
                    return .window(window, begins: index == 0 ? info : nil, isLast: index == windows.count - 1)
                }
                guard isThere else { return }
            }
        }
    }

    // MARK: - The engine's thread

    /// Between two windows, and while it waits, others compute.
    private func compute(_ capture: PluginCapture, _ runner: any PluginRunner, _ turn: EngineTurn) throws {
        var leftOut: UInt64?
        while let (window, begins, isLast) = try nextRead() {
            guard window.clip.recording != leftOut else { continue }
            let clip: PluginClipValue
            do {
                clip = try turn.resumed {
                    let began = ContinuousClock.now
                    defer { spent.withLock { $0 += began.duration(to: .now) } }
                    return try capture.compute(window, turn)
                }
            } catch let error as UnheardWord {
                // Known of its first window, before the plugin has heard of it.
                leftOut = window.clip.recording
                guard try computed.put({ .unreadable(error) }) else { return }
                continue
            }
            guard try handOver(clip, begins, isLast: isLast, runner) else { return }
        }
    }

    /// The next window that was read. What comes before of recordings that cannot be read is passed on.
    private func nextRead() throws -> (PluginCapture.ReadWindow, RecordingInfo?, isLast: Bool)? {
        while let step = try readAhead.take() {
            switch step {
            case .window(let window, let begins, let isLast): return (window, begins, isLast)
            case .unreadable(let error): guard try computed.put({ .unreadable(error) }) else { return nil }
            }
        }
        return nil
    }

    /// - Returns: false where nobody wants it.
    private func handOver(
        _ clip: PluginClipValue, _ begins: RecordingInfo?, isLast: Bool, _ runner: any PluginRunner
    ) throws -> Bool {
        let isThere = try computed.put {
            .window(
                Window(recording: clip.recording, begins: begins, isLast: isLast, process: try runner.stage(clip)))
        }
        guard isThere, try clip.isLarge else { return isThere }
        return computed.drain()
    }
}
