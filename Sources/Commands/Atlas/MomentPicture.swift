import Atlas
import Audio
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
        let clip = try AudioClip(excerpt)
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
        let axis = ArrayAxis(
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
    /// What the daemon gave as a sound file.
    /// - Throws: ``Audio/AudioError`` where it is none.
    init(_ file: V1.ExcerptFile) throws {
        let samples = try SampleBuffer.read(.bytes(file.data, name: "the daemon's excerpt")).readAll()
        self.init(rate: SampleBuffer.sampleRate, samples: samples)
    }
}
