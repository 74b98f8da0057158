import AtlasPage
import Client
import Files
import Foundation
import Messages
import Palette
import StrictJSON
import Wire

/// A live page's room: sessions one after the other, each with the source that the page asks for.
actor ListenRoom: LivePageRoom {
    nonisolated let events = LiveBroadcast()
    private let daemon: DaemonConnection
    private let open: V1.LiveOpen
    private let features: [ListenFeature]
    private let interventions: [String]
    private let file: (name: String, sound: ListenSound)?
    private struct Session {
        let number: Int
        let call: OpenCall<V1.LiveInput, V1.LiveEvent>
        let source: String
        /// Plays the file.
        var player: Task<Void, Never>?
        /// No more sound comes: its last words do.
        var isOver = false
    }
    private var session: Session?
    private var sessions = 0
    private var plugins = ListenPlugins(.packed(most: mostPacked))
    /// Numbers of a plugin's matrix that a page is sent; of a larger one means of neighbours.
    private static let mostPacked = 4096
    /// What the engine took, and what it was asked to take since.
    private var steering: [String]
    private var asked: [String]?

    /// - Parameters:
    ///   - open: what is asked for, without a source.
    ///   - interventions: what the page can switch.
    init(
        _ daemon: DaemonConnection, _ open: V1.LiveOpen, features: [ListenFeature], interventions: [String],
        file: (name: String, sound: ListenSound)?
    ) {
        self.daemon = daemon
        self.open = open
        self.features = features
        self.interventions = interventions
        self.file = file
        steering = interventions
    }

    func about() async throws -> Data {
        let devices = (try? await daemon.call(V1.LiveRPC.devices, V1.ListSoundDevicesRequest()).devices) ?? []
        let known: [JSON] = features.map { feature in
            [
                "name": .string(feature.name), "label": .string(feature.label),
                "atlas": feature.atlas.map { JSON.integer(Int($0)) } ?? JSON.null,
            ]
        }
        let inputs: [JSON] = devices.map { ["name": .string($0.name), "is_default": .bool($0.isDefault)] }
        let texts = { (texts: [String]) in JSON.array(texts.map { JSON.string($0) }) }
        let about = JSON.object([
            ("model", .string(open.model?.name ?? "")), ("features", .array(known)),
            ("interventions", texts(interventions)), ("steering", texts(steering)),
            ("file", file.map { JSON.string($0.name) } ?? JSON.null), ("devices", .array(inputs)),
            ("source", session.map { JSON.string($0.source) } ?? JSON.null),
            ("colours", texts(ColourMap.table.map(\.hex))),
        ])
        return Data(about.compactText.utf8)
    }

    func start(_ source: String) async throws {
        var open = open
        open.interventions = steering.map { V1.Intervention(text: $0) }
        let sound: ListenSound?
        switch source {
        case "page": sound = nil
        case "file":
            guard let file else {
                throw LivePageFailure("no file was named; 'auscult listen --page --file FILE' plays one")
            }
            sound = file.sound
        default:
            guard source.hasPrefix("device:") else {
                throw LivePageFailure("there is no source '\(source.prefix(60))'; expected page, file or device:NAME")
            }
            sound = nil
            open.device = V1.LiveDevice(name: String(source.dropFirst("device:".count)))
        }
        // Its last words are nobody's any more.
        await finish()
        session = nil
        events.forget()
        let call = try await daemon.client.open(V1.LiveRPC.listen)
        try await call.send(V1.LiveInput(input: .open(open)))
        say([("event", .string("began")), ("source", .string(source))], isKept: true)
        sessions += 1
        var session = Session(number: sessions, call: call, source: source)
        if let sound {
            session.player = Task {
                do {
                    try await sound.play(into: call)
                    try await call.finish()
                } catch {}  // The call's own end says why.
            }
        }
        self.session = session
        let number = sessions
        // It reads to the end also when another session has followed: the daemon waits for its readers.
        Task { [weak self] in
            var failure = ""
            do {
                for try await event in call.answers { await self?.tell(event, of: number) }
            } catch let error as WireError {
                failure = error.message
            } catch { failure = "\(error)" }
            await self?.ended(number, failure)
        }
    }

    func stop() async throws { await finish() }

    private func finish() async {
        guard let last = session, !last.isOver else { return }
        session?.isOver = true
        last.player?.cancel()
        try? await last.call.finish()
    }

    /// Sound that comes when its session has ended, as some always does where the daemon ends one, is nobody's: no error.
    func push(_ sound: [UInt8], captured: Double?, lost: Int) async throws {
        guard sessions > 0 else {
            throw LivePageFailure("no session takes the page's sound; expected 'start' before it")
        }
        guard let session, session.source == "page", !session.isOver else { return }
        do {
            try await session.call.send(
                V1.LiveInput(
                    input: .sound(
                        V1.LiveSound(
                            pcmS16le: sound, capturedUnixNs: captured.map { Int64($0 * 1e6) } ?? 0, lost: UInt64(lost)))
                ))
        } catch {}  // The call's own end says why.
    }

    func steer(_ interventions: [String]) async throws {
        guard let session else {
            steering = interventions
            return
        }
        asked = interventions
        try await session.call.send(
            V1.LiveInput(
                input: .interventions(
                    V1.LiveInterventions(interventions: interventions.map { V1.Intervention(text: $0) }))))
    }

    func mark(_ label: String) async throws {
        guard let session else { throw LivePageFailure("nothing is listened to, so there is no moment to mark") }
        try await session.call.send(V1.LiveInput(input: .mark(V1.LiveMark(label: label))))
    }

    // MARK: - Telling

    private func tell(_ event: V1.LiveEvent, of number: Int) {
        guard session?.number == number else { return }
        if case .steering? = event.event, let asked {
            steering = asked
            self.asked = nil
        }
        if case .heard(let one)? = event.event {
            say(
                [
                    ("event", .string("heard")), ("start", .number(one.start)),
                    ("pcm", .string(Data(one.pcmS16le).base64EncodedString())),
                ], isKept: false)
        } else if let json = try? event.json(features.map(\.name), &plugins) {
            publish(json, isKept: event.isOfText)
        }
    }

    private func ended(_ number: Int, _ failure: String) {
        // One that another has followed is no longer spoken of.
        guard session?.number == number else { return }
        session?.player?.cancel()
        session = nil
        asked = nil
        say([("event", .string("stopped")), ("failure", .string(failure))], isKept: true)
    }

    private func say(_ members: [(String, JSON)], isKept: Bool) { publish(.object(members), isKept: isKept) }

    private func publish(_ json: JSON, isKept: Bool) { events.publish(Data(json.compactText.utf8), isKept: isKept) }
}

extension V1.LiveEvent {
    /// Whether a page that comes later needs it.
    fileprivate var isOfText: Bool {
        switch event {
        case .segment, .gap, .steering, .marked, .source: true
        default: false
        }
    }
}
