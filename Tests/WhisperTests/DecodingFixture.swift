import Foundation
import Kernels
import Testing
import Whisper

/// What openai-whisper decodes with the tiny model (Fixtures/decoding/generate.py).
struct DecodingFixture: Decodable {
    struct Mel: Decodable {
        var frames: Int
        var data: String

        /// `[8, frames]`, in 1/32.
        var tensor: Tensor {
            get throws {
                let bytes = try #require(Data(base64Encoded: data))
                return Tensor(shape: [8, frames], bytes.map { Float(Int8(bitPattern: $0)) / 32 })
            }
        }
    }
    struct Languages: Decodable { var mel: Mel, probabilities: [String: Float] }
    struct DecodeCase: Decodable { var name: String, clip: Int, options: Options, result: Result }
    struct TranscribeCase: Decodable { var name: String, recording: Int, options: Options, result: Transcription }
    struct Result: Decodable {
        var language: String
        var tokens: [Int]
        var text: String
        var avgLogprob: Double
        var noSpeechProb: Double
        var compressionRatio: Double
    }

    var nVocab: Int
    var specialTokens: [String: Int]
    var languages: [Languages]
    var decode: [DecodeCase]
    var recordings: [Mel]
    var transcribe: [TranscribeCase]

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Fixtures/decoding").standardizedFileURL.path
    static let shared = Swift.Result { () throws -> DecodingFixture in
        try JSONDecoder().decode(
            DecodingFixture.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/cases.json")))
    }
    static func load() throws -> DecodingFixture { try shared.get() }

    var vocabulary: Vocabulary {
        get throws {
            let json = try JSONSerialization.data(withJSONObject: ["special_tokens": specialTokens])
            let ranks = try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/tiny.tiktoken")))
            return try #require(
                try Vocabulary.load(nVocab: nVocab, tiktokenNames: ["tiny.tiktoken"]) { name in
                    ["tiny.tiktoken": ranks, "special_tokens.json": [UInt8](json)][name]
                })
        }
    }

    func transcriber() throws -> Transcriber {
        let checkpoint = try Checkpoint.open("\(Self.folder)/tiny.pt")
        return try Transcriber(WhisperModel(checkpoint), vocabulary: vocabulary, generation: checkpoint.generation)
    }
}

/// The reference's keyword arguments.
struct Options: Decodable {
    private enum Key: String, CodingKey {
        case language, task, prompt, prefix, patience, word_timestamps, clip_timestamps, initial_prompt
        case without_timestamps, beam_size, length_penalty, suppress_tokens, suppress_blank, sample_len
        case max_initial_timestamp, condition_on_previous_text, carry_initial_prompt, no_speech_threshold
        case logprob_threshold, compression_ratio_threshold, hallucination_silence_threshold
        case prepend_punctuations, append_punctuations
    }
    var transcribe = TranscribeOptions()

    init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        func set<T: Decodable>(_ key: Key, _ property: WritableKeyPath<TranscribeOptions, T>) throws {
            if values.contains(key) { transcribe[keyPath: property] = try values.decode(T.self, forKey: key) }
        }
        transcribe.temperatures = [0]
        try set(.language, \.decoding.language)
        try set(.patience, \.decoding.patience)
        try set(.beam_size, \.decoding.beamSize)
        try set(.length_penalty, \.decoding.lengthPenalty)
        try set(.suppress_tokens, \.decoding.suppressTokens)
        try set(.suppress_blank, \.decoding.suppressBlank)
        try set(.sample_len, \.decoding.sampleLength)
        try set(.max_initial_timestamp, \.decoding.maxInitialTimestamp)
        try set(.without_timestamps, \.decoding.withoutTimestamps)
        try set(.word_timestamps, \.wordTimestamps)
        try set(.clip_timestamps, \.clipTimestamps)
        try set(.initial_prompt, \.initialPrompt)
        try set(.carry_initial_prompt, \.carryInitialPrompt)
        try set(.condition_on_previous_text, \.conditionOnPreviousText)
        try set(.no_speech_threshold, \.noSpeechThreshold)
        try set(.logprob_threshold, \.logprobThreshold)
        try set(.compression_ratio_threshold, \.compressionRatioThreshold)
        try set(.hallucination_silence_threshold, \.hallucinationSilenceThreshold)
        try set(.prepend_punctuations, \.prependPunctuations)
        try set(.append_punctuations, \.appendPunctuations)
        if let task = try values.decodeIfPresent(String.self, forKey: .task) {
            transcribe.decoding.task = try #require(SpeechTask(rawValue: task))
        }
        for (key, property) in [(Key.prompt, \TranscribeOptions.decoding.prompt), (.prefix, \.decoding.prefix)]
        where values.contains(key) {
            if let text = try? values.decode(String.self, forKey: key) {
                transcribe[keyPath: property] = .text(text)
            } else {
                transcribe[keyPath: property] = .tokens(try values.decode([Int].self, forKey: key))
            }
        }
    }
}

/// A log-mel in memory; past its end lies silence.
struct MelInMemory: MelSource {
    var mel: Tensor
    var bands: Int { mel.shape[0] }
    var contentFrames: Int { mel.shape[1] }

    func window(from start: Int, count: Int) throws -> Tensor {
        var values: [Float] = []
        for band in 0..<bands {
            for frame in start..<start + count { values.append(frame < contentFrames ? mel[band, frame] : -1.5) }
        }
        return Tensor(shape: [bands, count], values)
    }
}
