import Atlas
import Client
import Foundation
import Messages
import Results

/// A moment's spectrogram, with the activation and what is heard drawn over it.
struct MomentPicture {
    let plot: Plot

    /// - Parameters:
    ///   - excerpt: the sound as it is, WAV; times are from the start of the recording's part.
    ///   - window: the same with the moment brought out, which says where its window is.
    init(card: AtlasCard, moment: ListeningMoment, _ excerpt: V1.ExcerptFile, window: V1.ExcerptFile) throws {
        guard let clip = AudioClip(wav16: excerpt.data) else {
            throw CommandError(.badData, "the daemon's excerpt is not a 16-bit WAV file")
        }
        // Times of the atlas are from the file's beginning.
        let origin = moment.recording.start ?? 0
        let spectrogram = Spectrogram.of(clip)
        var time = spectrogram.axes[1]
        time.first = origin + excerpt.start
        let ground = NumericArray(values: spectrogram.values, axes: [spectrogram.axes[0], time], isDouble: false)
        let shown = origin + excerpt.start...max(origin + excerpt.end, origin + excerpt.start)
        var events = moment.sounds.filter {
            $0.kind == "phoneme" && $0.end > shown.lowerBound && $0.start < shown.upperBound
        }
        .map { V1.PluginTimedEvent(start: $0.start, end: $0.end, label: $0.label) }
        if window.windowEnd > window.windowStart {
            events.append(
                V1.PluginTimedEvent(start: origin + window.windowStart, end: origin + window.windowEnd, label: ""))
        }
        let axis = Axis(
            name: "time", unit: "s", first: origin + (Double(moment.curveFirst) + 0.5) / moment.rate,
            step: 1 / moment.rate, count: moment.activation.count)
        let line =
            moment.activation.isEmpty
            ? nil : NumericArray(values: moment.activation.map(Double.init), axes: [axis], isDouble: false)
        let heard = moment.heard.isEmpty ? "" : " · \(moment.heard)"
        plot = Plot(
            title: "\(card.feature.hook) #\(card.feature.number)\(heard) · \(Digits.short(moment.value)) · "
                + (moment.recording.name ?? "recording \(moment.recording.number)"),
            unit: "dB", kind: .heatMap(ground, upward: true, events: events, line: line))
    }
}

extension AudioClip {
    /// The samples of a mono 16-bit WAV file; nil for anything else.
    init?(wav16 bytes: [UInt8]) {
        func number(_ at: Int, _ count: Int) -> Int {
            bytes[at..<at + count].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        guard bytes.count >= 12, bytes.starts(with: Array("RIFF".utf8)), Array(bytes[8..<12]) == Array("WAVE".utf8)
        else {
            return nil
        }
        var rate: Int?
        var at = 12
        while at + 8 <= bytes.count {
            let size = min(number(at + 4, 4), bytes.count - at - 8)
            let body = at + 8
            switch String(decoding: bytes[at..<at + 4], as: UTF8.self) {
            case "fmt " where size >= 16:
                guard number(body, 2) == 1, number(body + 2, 2) == 1, number(body + 14, 2) == 16 else { return nil }
                rate = number(body + 4, 4)
            case "data":
                guard let rate, rate > 0 else { return nil }
                let samples = stride(from: body, to: body + size - 1, by: 2).map { place in
                    Float(Int16(bitPattern: UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8)) / 32768
                }
                self.init(rate: rate, samples: samples)
                return
            default: break
            }
            at = body + size + size % 2
        }
        return nil
    }
}
