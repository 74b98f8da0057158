import Audio
import Synchronization
import Whisper

/// A plugin's ear for sound while it is being made: it hears each frame once, when it has settled (``RollingContext``).
///
/// Where nobody speaks in a context, no pass is made, and a plugin that needs one does not hear its frames.
final class RollingPlugin: LiveListener {
    private let model: WhisperModel
    private let plugin: LivePlugin
    private let options: LiveOptions.Rolling
    private let inbox = LiveInbox()
    private let sound: Mutex<RollingSound>
    private let interventions: Mutex<[Intervention]>
    /// Samples that fill the context.
    private let missing: Mutex<Int>
    private let passedOver = Mutex<UInt64>(0)

    /// - Parameter origin: samples before the first one here.
    /// - Throws: ``ServiceError`` (`invalidArgument`) for contexts that make no sense.
    init(
        model: LoadedModel, plugin: LivePlugin, options: LiveOptions.Rolling, origin: Int = 0,
        interventions: [Intervention] = []
    ) throws {
        self.model = try model.model()
        self.plugin = plugin
        self.options = options
        self.interventions = Mutex(interventions)
        let frames = try options.contextFrames(model.dimensions)
        let sound = RollingSound(frames: frames, bands: model.dimensions.nMels, origin: origin)
        missing = Mutex(sound.room)
        self.sound = Mutex(sound)
    }

    var backlog: Int { inbox.count }
    /// Only frames that settle are heard, which takes a whole context.
    var isReady: Bool { backlog >= missing.withLock { $0 } }
    var merged: UInt64 { passedOver.withLock { $0 } }
    func append(_ samples: [Int16]) { inbox.append(samples) }
    func steer(_ interventions: [Intervention]) { self.interventions.withLock { $0 = interventions } }

    /// - Throws: what `turn` throws; what the model throws.
    func step(_ turn: EngineTurn?) throws -> [LiveEvent] { try sound.withLock { try listen(&$0, isLast: false, turn) } }

    func close(_ turn: EngineTurn?) throws -> [LiveEvent] { try sound.withLock { try listen(&$0, isLast: true, turn) } }

    private func listen(_ sound: inout RollingSound, isLast: Bool, _ turn: EngineTurn?) throws -> [LiveEvent] {
        defer { missing.withLock { $0 = sound.room } }
        var new = inbox.take(wholeFrames: !isLast)
        if options.passesOver {
            let (rest, unheard) = sound.passOver(new)
            new = rest
            if let unheard {
                plugin.unheard(sound.seconds(unheard.lowerBound)...sound.seconds(unheard.upperBound))
                passedOver.withLock { $0 += 1 }
            }
        }
        var events: [LiveEvent] = []
        while !new.isEmpty {
            let room = sound.room
            sound.hear(new.prefix(room))
            new = new.dropFirst(room)
            guard sound.isWhole, !(isLast && new.isEmpty) else { break }
            try turn?.checkpoint()
            events += try hear(&sound, before: sound.context.settledEnd, turn)
            sound.advance()
        }
        if isLast, sound.samples > 0 { events += try hear(&sound, before: .max, turn) }
        return events
    }

    /// Has the plugin hear the frames that settle.
    private func hear(_ sound: inout RollingSound, before end: Int, _ turn: EngineTurn?) throws -> [LiveEvent] {
        let start = sound.context.start
        let first = sound.settled - start
        let frames = first..<max(first, min(end - start, sound.frames))
        defer { sound.settle(before: start + frames.upperBound) }
        guard !frames.isEmpty, plugin.hearsSilence || options.inSilence || sound.hasVoice else { return [] }
        var captured: [CapturedTensor] = []
        if !plugin.points.isEmpty {
            _ = try WindowPass(
                model, sound.window(model.dimensions),
                PassPlan(captures: plugin.points, interventions: interventions.withLock { $0 }),
                validFrames: sound.frames
            ) { captured.append($0) }
        }
        return try plugin.hear(sound, captured, frames: frames, turn)
    }
}
