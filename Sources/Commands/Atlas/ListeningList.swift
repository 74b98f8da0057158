import Atlas

/// A moment to be heard.
struct ListeningMoment {
    /// In its list, from 1.
    var place: Int
    var value: Double
    /// The encoder frame from the start of the recording's part.
    var frame: Int
    /// Positions a second of the activation.
    var rate: Double
    var seconds: Double
    var recording: AtlasRecording
    var heard: String
    var sounds: [AtlasSound]
    /// From the position ``curveFirst`` on; empty where it was not kept.
    var activation: [Float] = []
    var curveFirst = 0
}

/// Moments that are heard one after the other.
struct ListeningList {
    /// "top", "bin-9".
    var name: String
    var moments: [ListeningMoment]
}

extension ListeningMoment {
    init(_ card: AtlasExampleCard) {
        let rate = card.example.rate(in: card.recording) ?? 50
        self.init(
            place: card.example.rank, value: card.example.value,
            frame: card.example.encoderFrame(in: card.recording) ?? 0, rate: rate, seconds: card.example.seconds ?? 0,
            recording: card.recording, heard: card.heard ?? "", sounds: card.sounds, activation: card.activation,
            curveFirst: card.example.curveFirst ?? 0)
    }
}

extension ListeningList {
    init(_ card: AtlasBinCard) {
        self.init(
            name: "bin-\(card.bin.bin)",
            moments: card.examples.enumerated().map { index, example in
                ListeningMoment(
                    place: index + 1, value: example.example.value,
                    frame: example.example.encoderFrame(in: example.recording) ?? 0,
                    rate: example.example.rate(in: example.recording) ?? 50, seconds: example.example.seconds ?? 0,
                    recording: example.recording, heard: example.heard.first ?? "", sounds: [])
            })
    }
}
