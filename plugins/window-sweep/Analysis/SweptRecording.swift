import PluginTranscripts

/// What one recording's transcript becomes.
struct SweptRecording: Codable {
    let recording: UInt64
    let name: String
    /// What was said; what the model writes unchanged, where the data set does not say.
    let reference: String
    let isReferenceOwn: Bool
    let unchanged: String
    /// By the name of the scope, then for each window.
    var texts: [String: [String]]

    func errors(_ text: String) -> WordErrors { WordErrors(Words.of(reference), Words.of(text)) }

    /// Whether it says other words than without a window.
    func differs(_ text: String) -> Bool { Words.of(text) != Words.of(unchanged) }
}

/// All recordings under one scope and one window.
struct SweepPoint {
    let scope: Scope
    let window: Int
    let errors, unchanged: WordErrors
    let interval: (low: Double, high: Double)
    let recordings, differing: Int

    /// - Returns: nil where no recording was written down under it.
    init?(_ recordings: [SweptRecording], _ scope: Scope, windows: [Int], place: Int, seed: UInt64) {
        let swept = recordings.compactMap { recording in
            recording.texts[scope.name].flatMap { $0.indices.contains(place) ? (recording, $0[place]) : nil }
        }
        guard !swept.isEmpty else { return nil }
        (self.scope, window) = (scope, windows[place])
        let changed = swept.map { $0.errors($1) },
            before = swept.map { recording, _ in recording.errors(recording.unchanged) }
        (errors, unchanged) = (changed.total, before.total)
        interval = RateDifference.interval(changed, before, bounded: true, seed: seed)
        self.recordings = swept.count
        differing = swept.count { $0.differs($1) }
    }
}
