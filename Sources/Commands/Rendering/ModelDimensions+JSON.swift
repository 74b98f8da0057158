import Whisper

extension ModelDimensions {
    /// Under openai/whisper's names.
    var json: JSON {
        [
            "n_mels": .integer(nMels), "n_audio_ctx": .integer(nAudioCtx), "n_audio_state": .integer(nAudioState),
            "n_audio_head": .integer(nAudioHead), "n_audio_layer": .integer(nAudioLayer), "n_vocab": .integer(nVocab),
            "n_text_ctx": .integer(nTextCtx), "n_text_state": .integer(nTextState), "n_text_head": .integer(nTextHead),
            "n_text_layer": .integer(nTextLayer),
        ]
    }
}
