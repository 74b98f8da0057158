import PluginKit

/// One window of a recording, as the collection needs it: what the plugin copies out of a clip.
struct RecordingWindow {
    /// Values at one hook point, [positions, features] row-major.
    struct Layer {
        let hook: String
        /// Of the recording, at index 0.
        let firstPosition: Int
        let positionsPerSecond: Double
        /// Rows that overlap audio; the padding behind them is not data.
        let valid: Int
        let features: Int
        let values: [Float]
    }

    /// A label from `start` to `end`, in seconds of the recording, half open.
    struct Sound: Timed {
        let start, end: Double
        let label: String
    }

    let recording: UInt64
    let columns: [String: String]
    let phonemes, words: [Sound]
    let layers: [Layer]
}
