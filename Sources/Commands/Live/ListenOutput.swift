import Client
import Files
import Foundation
import Logging
import Messages
import Results
import Synchronization
import TerminalText
import Wire

/// Writes a session: on a whole terminal, as lines, or as JSON.
struct ListenOutput: Sendable {
    let call: OpenCall<V1.LiveInput, V1.LiveEvent>
    let names: [String]
    let labels: [String]
    let format: ResultFormat
    let model: String
    let interventions: [String]
    let logger: Logger

    /// Milliseconds between two pictures, and between two looks for keys.
    private static let frame = 50

    /// What the events add up to, for whoever draws it.
    private final class Shared: Sendable {
        let state: Mutex<ListenState>
        init(_ state: ListenState) { self.state = Mutex(state) }
    }

    /// - Parameter sound: what is played; nil where a device is listened to.
    func run(_ sound: ListenSound?, _ recording: ListenRecording?) async throws {
        let terminal = format == .text ? ListenTerminal() : nil
        defer { terminal?.end() }
        let shared = Shared(ListenState(zip(names, labels).map { ($0, $1) }))
        do { try await follow(sound, recording, terminal, shared) } catch {
            // What was recorded before an interruption is whole.
            try? recording?.finish(duration: shared.state.withLock(\.duration))
            throw error
        }
        try recording?.finish(duration: shared.state.withLock(\.duration))
        let failures = shared.state.withLock(\.failures)
        if let terminal {
            terminal.end()
            let text = shared.state.withLock(\.text)
            if !text[0].isEmpty { try Console.current.print(PrintedSegment.text(text[0])) }
            for failure in failures { logger.error("\(PrintedText.safe(failure))") }
        }
        // They have been told.
        if !failures.isEmpty { throw Failure(status: .failure) }
    }

    /// Until the session ends.
    private func follow(
        _ sound: ListenSound?, _ recording: ListenRecording?, _ terminal: ListenTerminal?, _ shared: Shared
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let player = Task {
                guard let sound else { return }
                try await sound.play(into: call)
                try await call.finish()
            }
            defer { player.cancel() }
            group.addTask { try await player.value }
            group.addTask {
                if let terminal { try await draw(terminal, shared, player) }
            }
            var plugins = ListenPlugins()
            for try await event in call.answers {
                let now = Self.now
                shared.state.withLock { $0.take(event, now: now) }
                if terminal == nil { try write(event, &plugins) }
                try recording?.take(event)
            }
            // It is over: neither is needed any more.
            player.cancel()
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {} catch let error as WireError
                where error.code == .cancelled
            {}
        }
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: - A terminal

    private func draw(
        _ terminal: ListenTerminal, _ shared: Shared, _ player: Task<Void, any Error>
    ) async throws {
        let isStyled =
            (Console.current.environment["NO_COLOR"] ?? "").isEmpty && Console.current.environment["TERM"] != "dumb"
        var screen = ListenScreen(width: 80, height: 24, isStyled: isStyled)
        screen.canSteer = !interventions.isEmpty
        var areOn = true
        var shown = shared.state.withLock { $0 }
        while !Task.isCancelled {
            for key in terminal.keys() {
                switch key {
                case " ": screen.isPaused.toggle()
                case "n": screen.page += 1
                case "m": try await call.send(V1.LiveInput(input: .mark(V1.LiveMark())))
                case "i" where screen.canSteer:
                    areOn.toggle()
                    let now = areOn ? interventions.map { V1.Intervention(text: $0) } : []
                    try await call.send(V1.LiveInput(input: .interventions(V1.LiveInterventions(interventions: now))))
                case "q":
                    player.cancel()
                    _ = await player.result
                    // A file that has ended has said so already.
                    try? await call.finish()
                    return
                default: break
                }
            }
            if !screen.isPaused { shown = shared.state.withLock { $0 } }
            (screen.width, screen.height) = terminal.size
            try terminal.draw(screen.lines(shown, model: model))
            try await Task.sleep(for: .milliseconds(Self.frame))
        }
    }

    // MARK: - Lines

    private func write(_ event: V1.LiveEvent, _ plugins: inout ListenPlugins) throws {
        guard format == .text else {
            if let json = try event.json(names, &plugins) { try Console.current.print(json.compactText) }
            return
        }
        switch event.event {
        case .plugin(let news)?: try write(news, &plugins)
        case .segment(let one)?: try Console.current.print(PrintedSegment.line(one))
        case .readings(let one)?: if let line = settledLine(one) { try Console.current.print(line) }
        case .gap(let one)?: logger.warning("\(PrintedSegment.span(one.start, one.end)) was lost: \(one.reason)")
        case .source(let one)? where one.state == .lost: logger.warning("\(one.device) is lost: \(one.reason)")
        case .source(let one)?: logger.notice("listening to \(one.device), \(one.sampleRate.clamped) Hz")
        case .end(let one)? where one.skippedSteps > 0 || one.mergedHops > 0:
            logger.notice(
                "the engine was busy: \(one.skippedSteps) steps and \(one.mergedHops) hops were merged with later ones")
        default: break
        }
    }

    private func write(_ news: V1.LivePluginNews, _ plugins: inout ListenPlugins) throws {
        plugins.log(news, logger)
        guard let result = try plugins.take(news) else { return }
        let style = TerminalStyle(environment: Console.current.environment)
        let text = ResultsText(style).text(result).drop { $0.isNewline }
        let end = text.last == "\n" ? text.dropLast() : text
        try Console.current.print("\(PrintedSegment.span(news.start, news.end))  \(end)")
    }

    /// The three features that answered most in the frames that settled.
    private func settledLine(_ reading: V1.LiveReadings) -> String? {
        let settled = Int(reading.settled)
        guard settled > 0, let first = reading.frames.first, settled <= reading.frames.count else { return nil }
        let strongest = reading.features.prefix(names.count).enumerated()
            .map { (index: $0, value: $1.values.prefix(settled).max() ?? 0) }
            .sorted { $0.value > $1.value }.prefix(3)
        let rate = max(reading.framesPerSecond, 1)
        let (start, end) = (
            reading.start + Double(first) / rate, reading.start + Double(reading.frames[settled - 1] + 1) / rate
        )
        let words = strongest.map { one in
            let label = labels[one.index].isEmpty ? "" : " (\(labels[one.index]))"
            return "\(names[one.index])\(label) \(String(format: "%.3f", one.value))"
        }
        return "\(PrintedSegment.span(start, end))  " + words.joined(separator: "  ")
    }
}

/// Stretches of text as lines.
enum PrintedSegment {
    static func line(_ segment: V1.LiveSegment) -> String {
        "\(span(segment.start, segment.end)) \(segment.plain ? " (without interventions)" : "")\(text(segment.text))"
    }

    static func span(_ start: Double, _ end: Double) -> String { "[\(timestamp(start)) --> \(timestamp(end))]" }

    static func text(_ text: String) -> String {
        " " + text.split(separator: "\n").joined(separator: " ").drop { $0 == " " }
    }
}
