import Audio
import Foundation
import Messages
import Synchronization
import TestSupport
import Wire

/// A microphone without a sound card: ALSA's PCM of type `file` reads a FIFO that this feeds as time goes by, with silence where nothing
/// is said. PortAudio takes it for a device with 44,100 Hz.
final class Microphone: Sendable {
    static let rate = 44_100
    static let name = "auscult_microphone"
    static let isPossible =
        FileManager.default.fileExists(atPath: "/usr/share/alsa/alsa.conf") && CaptureHelper.isThere

    private struct State {
        var waiting: [Float] = []
        /// Frames that were given, silence among them.
        var given = 0
        /// Frames that are given at a time.
        var block = 880
        var isPluggedIn = true
        var hasEnded = false
    }
    private let state = Mutex(State())
    private let fifo: String
    /// What the daemon's environment needs.
    let environment: [String: String]

    init(in folder: TemporaryFolder) throws {
        fifo = folder("sound")
        guard mkfifo(fifo, 0o600) == 0 else { throw CocoaError(.fileWriteUnknown) }
        let configuration = """
            </usr/share/alsa/alsa.conf>
            pcm.\(Self.name) {
                type file
                slave.pcm { type null }
                file "/dev/null"
                infile "\(fifo)"
                format "raw"
                hint { show on description "a microphone of the tests" }
            }
            """
        environment = ["ALSA_CONFIG_PATH": try folder.write(Array(configuration.utf8), to: "asoundrc")]
        Thread.detachNewThread { [self] in feed() }
    }

    /// Gives whole numbers of the periods in which it is read from now on. ALSA's file takes what it gets of a period for all of it, and
    /// PortAudio's latency is such a number.
    func fit(_ source: V1.LiveSource?) {
        let latency = ((source?.latency ?? 0) * Double(Self.rate)).rounded()
        guard (1...4096).contains(latency) else { return }
        state.withLock { $0.block = Int(latency) * max(1, 880 / Int(latency)) }
    }

    /// Says samples at 16 kHz, after what is being said.
    /// - Returns: when the first is given, in seconds of what was given since the last time that it was plugged in.
    @discardableResult
    func say(_ samples: [Float]) -> Double {
        let count = samples.count * Self.rate / SampleBuffer.sampleRate
        let spoken = (0..<count).map { index -> Float in
            let at = Double(index) * Double(SampleBuffer.sampleRate) / Double(Self.rate)
            // Band-limited: a sinc of 32 points under a Hann window.
            let near = Int(at)
            var sum = 0.0
            for source in max(0, near - 15)...min(samples.count - 1, near + 16) {
                let distance = at - Double(source)
                let sinc = distance == 0 ? 1 : sin(Double.pi * distance) / (Double.pi * distance)
                sum += Double(samples[source]) * sinc * (0.5 + 0.5 * cos(Double.pi * distance / 16.5))
            }
            return Float(sum)
        }
        return state.withLock { state in
            defer { state.waiting += spoken }
            return Double(state.given + state.waiting.count) / Double(Self.rate)
        }
    }

    var isSpeaking: Bool { state.withLock { !$0.waiting.isEmpty } }

    /// Takes it away, or brings it back.
    func plug(_ isPluggedIn: Bool) { state.withLock { $0.isPluggedIn = isPluggedIn } }

    func end() { state.withLock { $0.hasEnded = true } }

    private func feed() {
        while !state.withLock(\.hasEnded) {
            guard state.withLock(\.isPluggedIn) else {
                usleep(20_000)
                continue
            }
            // To read as well: so a reader always finds a writer, and the writer never waits for one.
            let descriptor = open(fifo, O_RDWR | O_NONBLOCK)
            guard descriptor >= 0 else { return }
            feed(descriptor)
            close(descriptor)
        }
    }

    /// As a microphone does, which waits for nobody: what finds no room is gone, after most of a second. A block is written whole or not at all.
    private func feed(_ descriptor: Int32) {
        // F_SETPIPE_SZ, which the module of the C library leaves out.
        _ = fcntl(descriptor, 1031, 1 << 17)
        let began = ContinuousClock.now
        state.withLock { $0.given = 0 }
        while state.withLock({ $0.isPluggedIn && !$0.hasEnded }) {
            let (samples, given) = state.withLock { state in
                let next = Array(state.waiting.prefix(state.block))
                state.waiting.removeFirst(next.count)
                state.given += state.block
                return (next + [Float](repeating: 0, count: state.block - next.count), state.given)
            }
            _ = samples.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            let ahead = .seconds(Double(given) / Double(Self.rate)) - (ContinuousClock.now - began)
            if ahead > .zero { usleep(UInt32(ahead / .microseconds(1))) }
        }
    }
}

/// The helper that was built beside the tests.
enum CaptureHelper {
    static let isThere =
        (try? ChildDaemon.program).map {
            let folder = ($0 as NSString).deletingLastPathComponent
            return FileManager.default.isExecutableFile(atPath: folder + "/auscult-capture")
                && FileManager.default.isExecutableFile(atPath: $0)
        } ?? false

    /// The processes of that name that a daemon started and that run.
    static func processes(of daemon: Int32) -> [Int32] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { Int32($0) }.filter { process in
            guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else {
                return false
            }
            return status.contains("Name:\tauscult-capture") && status.contains("PPid:\t\(daemon)\n")
                && !status.contains("State:\tZ")
        }
    }
}

/// A call of Live/Listen whose events are gathered as they come.
final class Listening: Sendable {
    private let call: OpenCall<V1.LiveInput, V1.LiveEvent>
    private let gathered = Mutex<(events: [V1.LiveEvent], error: (any Error)?, hasEnded: Bool)>(([], nil, false))

    init(_ client: WireClient, _ open: V1.LiveOpen) async throws {
        call = try await client.open(V1.LiveRPC.listen)
        try await call.send(V1.LiveInput(input: .open(open)))
        Task { [self] in
            do {
                for try await event in call.answers { gathered.withLock { $0.events.append(event) } }
                gathered.withLock { $0.hasEnded = true }
            } catch { gathered.withLock { ($0.error, $0.hasEnded) = (error, true) } }
        }
    }

    var events: [V1.LiveEvent] { gathered.withLock(\.events) }
    var error: (any Error)? { gathered.withLock(\.error) }
    var hasEnded: Bool { gathered.withLock(\.hasEnded) }
    func send(_ input: V1.LiveInput.Input) async throws { try await call.send(V1.LiveInput(input: input)) }
    func finish() async throws { try await call.finish() }

    var sources: [V1.LiveSource] { events.compactMap { if case .source(let one)? = $0.event { one } else { nil } } }
    var gaps: [V1.LiveGap] { events.compactMap { if case .gap(let one)? = $0.event { one } else { nil } } }
    var levels: [V1.LiveLevel] { events.compactMap { if case .level(let one)? = $0.event { one } else { nil } } }
    var readings: [V1.LiveReadings] {
        events.compactMap { if case .readings(let one)? = $0.event { one } else { nil } }
    }
    /// What came, for a test that expected something else: the text, the last guesses at it, and how loud each half second was.
    var account: String {
        let guesses = events.compactMap { if case .hypothesis(let one)? = $0.event { one.text } else { nil } }
        let halves = Dictionary(grouping: levels) { Int($0.start * 2) }.sorted { $0.key < $1.key }
        let loudness = halves.map { String(format: "%.0f", $0.value.map(\.peakDb).max() ?? -120) }.joined(
            separator: " ")
        return
            "text '\(text)'; guesses \(guesses.suffix(5)); peaks (dB) of half seconds \(loudness); gaps \(gaps); error "
            + "\(String(describing: error))"
    }
    var text: String {
        events.compactMap { if case .segment(let one)? = $0.event { one.text } else { nil } }.joined()
    }
}
