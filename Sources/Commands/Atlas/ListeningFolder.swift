import Atlas
import Client
import Digests
import Files
import Foundation
import Messages
import Results
import TerminalText

/// Moments as sound files in a folder, with a playlist for each list and pictures of the strongest.
struct ListeningFolder {
    let command: AtlasListenCommand
    let card: AtlasCard
    let daemon: DaemonConnection
    /// The names of what was written.
    private(set) var files: [String] = []
    private var names = SafeNames()
    private let line: ProgressLine
    /// Files that were compared with their digests.
    private var checked: Set<String> = []

    init(command: AtlasListenCommand, card: AtlasCard, daemon: DaemonConnection) {
        self.command = command
        self.card = card
        self.daemon = daemon
        line = command.verbosity.progress
    }

    func finish() { line.clear() }

    /// Writes a list's sounds and its playlist.
    mutating func write(_ list: ListeningList) async throws {
        guard !list.moments.isEmpty else { return }
        var playlist = "#EXTM3U\n#EXTENC:UTF-8\n#PLAYLIST:\(card.feature.hook) #\(card.feature.number) \(list.name)\n"
        for (done, moment) in list.moments.enumerated() {
            line.show(list.name, done: done, total: list.moments.count, unit: { "\($0) moments" })
            let source = try source(of: moment.recording)
            let recording = (moment.recording.name ?? "recording \(moment.recording.number)") as NSString
            let stem = (recording.lastPathComponent as NSString).deletingPathExtension
            let name = names.unused(
                "\(list.name)-\(moment.place < 10 ? "0" : "")\(moment.place)-\(SafeNames.safe(stem))")
            var request = request(moment, source)
            request.format = command.sound
            request.moment = V1.Moment(frame: UInt64(moment.frame), surroundingsDb: command.surroundings)
            request.gainDb = command.gain
            let sound = try await daemon.call(V1.AudioRPC.excerpt, request)
            let file = "\(name).\(command.sound.name)"
            try save(sound.data, file)
            playlist += "#EXTINF:\(String(format: "%.3f", sound.end - sound.start)),\(title(moment))\n\(file)\n"
            if let format = command.picture.format {
                // Its own sound, before anything was turned down.
                let plain = try await daemon.call(V1.AudioRPC.excerpt, self.request(moment, source))
                let picture = try MomentPicture(card: card, moment: moment, plain, window: sound)
                try save(picture.plot.picture.bytes(as: format), "\(name).\(format.rawValue)")
            }
        }
        try save(Array(playlist.utf8), "\(list.name).m3u8")
    }

    private func request(_ moment: ListeningMoment, _ source: V1.AudioSource) -> V1.ExcerptRequest {
        let middle = (Double(moment.frame) + 0.5) / 50
        let span = V1.Span(start: max(middle - command.around, 0), end: middle + command.around)
        return V1.ExcerptRequest(audio: source, span: span, format: .wav)
    }

    private func title(_ moment: ListeningMoment) -> String {
        let heard = moment.heard.isEmpty ? "" : "\(moment.heard), "
        let name = moment.recording.name ?? "recording \(moment.recording.number)"
        return PrintedText.safe(
            "\(heard)\(Digits.short(moment.value)) at \(String(format: "%.2f", moment.seconds)) s of \(name)")
    }

    /// What the daemon is to read. A file that is not the one that was scanned is told.
    private mutating func source(of recording: AtlasRecording) throws -> V1.AudioSource {
        let name = recording.name ?? "recording \(recording.number)"
        guard let path = recording.path else {
            throw CommandError(.noInput, "the atlas does not know where \(name) lies")
        }
        var source = V1.AudioSource(name: name)
        if path.hasPrefix(RecordingArgument.clipPrefix) {
            source.source = .clip(String(path.dropFirst(RecordingArgument.clipPrefix.count)))
        } else {
            source.source = .path(path)
            if let expected = recording.sha256, checked.insert(path).inserted,
                try SHA256.hex(ofFiles: [path]) != expected
            {
                command.verbosity.logger.warning(
                    "\(PrintedText.safe(path)) has changed since it was scanned: what is heard may be something else")
            }
        }
        if recording.start != nil || recording.end != nil {
            source.span = V1.Span(start: recording.start ?? 0, end: recording.end)
        }
        return source
    }

    private mutating func save(_ bytes: [UInt8], _ name: String) throws {
        let file = try PendingFile("\(command.out)/\(name)")
        try bytes.withUnsafeBytes(file.write)
        try file.commit()
        files.append(name)
    }
}
