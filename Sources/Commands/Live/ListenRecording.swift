import Audio
import Client
import Files
import Foundation
import Messages
import Results

/// Keeps a session in a folder:
///
/// - `sound.flac`: the sound, 16 kHz mono; what was lost is silence, so that times hold;
/// - `features.csv`: `time` and a column a feature, a row a frame that settled, in their order: numpy, pandas and Sonic Visualiser
///   read it;
/// - `features.npy`: the same rows, float32 `[frames, 1 + features]`;
/// - `session.TextGrid`: for Praat, tiers of text, of gaps, and of marks.
///
/// Sound and features are written while they come, the others at the end.
final class ListenRecording {
    private let folder: String
    private let sound: SoundRecorder
    private let table: FileDescriptor
    private var rows: [Float] = []
    private let columns: Int
    /// Samples that are written.
    private var samples = 0
    private var texts: [TextGridFile.Interval] = []
    private var plainTexts: [TextGridFile.Interval] = []
    private var gaps: [TextGridFile.Interval] = []
    private var marks: [(time: Double, text: String)] = []

    private static let files = ["sound.flac", "features.csv", "features.npy", "session.TextGrid"]

    /// - Throws: ``Client/CommandError`` (`cannotCreate`) where a recording, or anything of one of its names, is there already; what
    ///   making the folder throws.
    init(_ folder: String, names: [String]) throws {
        self.folder = folder
        columns = 1 + names.count
        try DataFolder.create(folder)
        for file in Self.files {
            var status = stat()
            guard PathText.withName("\(folder)/\(file)", { lstat($0, &status) }) != 0 else {
                throw CommandError(
                    .cannotCreate, "\(folder) has a recording already, or at least a \(file); name another folder")
            }
        }
        sound = try SoundRecorder(folder + "/sound.flac")
        table = try FileDescriptor(folder + "/features.csv", O_WRONLY | O_CREAT | O_EXCL)
        try write(CSV.line(["time"] + names))
    }

    /// - Throws: what writing throws.
    func take(_ event: V1.LiveEvent) throws {
        switch event.event {
        case .heard(let one)?: try take(one)
        case .readings(let one)?: try take(one)
        case .segment(let one)?:
            let interval = TextGridFile.Interval(
                start: one.start, end: one.end, text: String(one.text.drop { $0 == " " }))
            if one.plain { plainTexts.append(interval) } else { texts.append(interval) }
        case .gap(let one)?: gaps.append(TextGridFile.Interval(start: one.start, end: one.end, text: one.reason))
        case .marked(let one)?: marks.append((one.time, one.label))
        default: break
        }
    }

    private func take(_ heard: V1.LiveHeard) throws {
        let start = (heard.start * Double(SampleBuffer.sampleRate)).clamped
        // What is missing is silence: lost by the device, or by us, who were too slow.
        var missing = start - samples
        while missing > 0 {
            let some = min(missing, 1 << 16)
            try sound.append([Int16](repeating: 0, count: some))
            missing -= some
            samples += some
        }
        let new = (0..<heard.pcmS16le.count / 2).map {
            Int16(bitPattern: UInt16(heard.pcmS16le[2 * $0]) | UInt16(heard.pcmS16le[2 * $0 + 1]) << 8)
        }
        try sound.append(new)
        samples += new.count
    }

    private func take(_ reading: V1.LiveReadings) throws {
        let settled = min(Int(reading.settled), reading.frames.count)
        guard reading.features.count == columns - 1, reading.features.allSatisfy({ $0.values.count >= settled }) else {
            return
        }
        var lines = ""
        for place in 0..<settled {
            let time = reading.start + Double(reading.frames[place]) / max(reading.framesPerSecond, 1)
            let values = reading.features.map { $0.values[place] }
            rows.append(Float(time))
            rows += values
            lines += CSV.line([String(format: "%.2f", time)] + values.map { "\($0)" })
        }
        if !lines.isEmpty { try write(lines) }
    }

    private func write(_ text: String) throws {
        try Array(text.utf8).withUnsafeBytes { try table.write($0) }
    }

    /// Completes all files.
    func finish(duration: Double) throws {
        try sound.finish()
        try PendingFile.write(NPY.bytes(rows, columns: columns), to: folder + "/features.npy")
        var grid = TextGridFile()
        grid.intervals = [("text", texts)]
        if !plainTexts.isEmpty { grid.intervals.append(("text without interventions", plainTexts)) }
        grid.intervals.append(("gaps", gaps))
        grid.points = [("marks", marks)]
        let whole = max(duration, Double(samples) / Double(SampleBuffer.sampleRate))
        try PendingFile.write(Array(grid.text(duration: whole).utf8), to: folder + "/session.TextGrid")
    }
}
