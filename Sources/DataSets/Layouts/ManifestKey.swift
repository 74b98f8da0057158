/// What a key of a manifest means. Every other key with a text or a number is a label.
enum ManifestKey: CaseIterable {
    case path, start, end, duration, text, language, speaker, alignment, phonemes, words

    init?(_ name: String) {
        guard let key = Self.byName[name] else { return nil }
        self = key
    }

    /// What it is called: our name first, then those of other programs. MANIFESTS.md says whose they are.
    var names: [String] {
        switch self {
        case .path:
            ["path", "file", "audio", "audio_filepath", "file_name", "filename", "audio_path", "wav"]
        case .start: ["start", "offset"]
        case .end: ["end"]
        case .duration: ["duration"]
        case .text: ["text", "sentence", "transcription", "transcript"]
        case .language: ["language", "locale", "lang"]
        case .speaker: ["speaker", "client_id", "speaker_id"]
        case .alignment: ["alignment"]
        case .phonemes: ["phonemes"]
        case .words: ["words"]
        }
    }

    private static let byName = Dictionary(
        allCases.flatMap { key in key.names.map { ($0, key) } }, uniquingKeysWith: { first, _ in first })
}
