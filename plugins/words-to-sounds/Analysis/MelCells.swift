import Mel
import PluginKit

/// The log-mel that a model heard, cut into cells of some bands and some frames; only what overlaps sound.
struct MelCells {
    /// Of one cell: which part of the spectrogram.
    struct Place: Hashable {
        let bands, frames: Range<Int>
    }

    let bands: Int
    /// Mel frames of the model's input, and those of them that are sound.
    let context, valid: Int
    /// `[bands, context]`.
    let mel: [Float]
    let places: [Place]

    init(mel: [Float], bands: Int, valid: Int, cellBands: Int, cellFrames: Int) {
        (self.mel, self.bands) = (mel, bands)
        context = bands > 0 ? mel.count / bands : 0
        self.valid = min(valid, context)
        let end = self.valid
        places = stride(from: 0, to: end, by: cellFrames).flatMap { frame in
            stride(from: 0, to: bands, by: cellBands).map { band in
                Place(bands: band..<min(band + cellBands, bands), frames: frame..<min(frame + cellFrames, end))
            }
        }
    }

    /// What a silent cell has: Whisper's clamp, 8 below the maximum before scaling.
    var floor: Float { (mel.max() ?? 0) - 2 }

    /// The log-mel at a part of the way from silence to what was heard.
    func scaled(_ way: Float) -> [Float] {
        let floor = floor
        return mel.map { floor + way * ($0 - floor) }
    }

    /// The log-mel with one cell silent.
    func without(_ place: Place) -> [Float] {
        var changed = mel
        let floor = floor
        for band in place.bands { for frame in place.frames { changed[band * context + frame] = floor } }
        return changed
    }

    /// Σ over a cell of gradient · (value − silence).
    func attribution(_ gradient: [Float], of place: Place) -> Double {
        let floor = floor
        var sum = 0.0
        for band in place.bands {
            for frame in place.frames {
                let at = band * context + frame
                sum += Double(gradient[at]) * Double(mel[at] - floor)
            }
        }
        return sum
    }

    /// The same of each cell.
    func attributions(_ gradient: [Float]) -> [Double] { places.map { attribution(gradient, of: $0) } }

    /// Gradient · (value − silence) of each mel cell of the sound, `[bands, valid]`.
    func map(_ gradient: [Float]) -> [Float] {
        let floor = floor
        return (0..<bands * valid).map { at in
            let from = at / valid * context + at % valid
            return gradient[from] * (mel[from] - floor)
        }
    }

    /// 1 where a cell is among those, `[bands, frames]`.
    func mask(_ cells: [Int], frames: Int) -> [Float] {
        var mask = [Float](repeating: 0, count: bands * frames)
        for cell in cells {
            let place = places[cell]
            for band in place.bands {
                for frame in place.frames where frame < frames { mask[band * frames + frame] = 1 }
            }
        }
        return mask
    }

    /// "0.35–0.40 s, 210–480 Hz".
    func name(_ place: Place, start: Double) -> String {
        func seconds(_ frame: Int) -> String {
            let hundredths = Int((100 * (start + Double(frame * LogMel.hop) / Double(LogMel.sampleRate))).rounded())
            let digits = String(hundredths % 100)
            return "\(hundredths / 100)." + (digits.count < 2 ? "0" : "") + digits
        }
        let top = MelFilters.mel(hertz: Double(LogMel.sampleRate) / 2)
        func hertz(_ band: Int) -> Int {
            Int(MelFilters.hertz(mel: top * Double(band + 1) / Double(bands + 1)).rounded())
        }
        return "\(seconds(place.frames.lowerBound))–\(seconds(place.frames.upperBound)) s, "
            + "\(hertz(place.bands.lowerBound))–\(hertz(place.bands.upperBound - 1)) Hz"
    }
}
