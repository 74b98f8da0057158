import Audio
import Daemon  // makes a recording's log-mel what Whisper's transcription reads
import Kernels
import Mel
import Whisper

extension Worker {
    /// After a prompt, `count` tokens, always the likeliest ordinary one. Where `count` is 1, the time is from the
    /// encoder's output to it: keys and values of the audio, and the prompt. Otherwise it is that of the steps after it.
    func greedy(_ work: Work) throws -> WorkReply {
        let model = try model(), audio = try audio(work)
        let prompt = try needed(work.prompt, "prompt"), count = try needed(work.count, "count")
        let ordinary = min(work.sizes?.first ?? model.dimensions.nVocab, model.dimensions.nVocab)
        let cache = model.decoderCache(audio: audio)
        var tokens: [Int] = []
        func step(_ input: [Int]) throws {
            let logits = try model.decode([input], cache: cache, lastOnly: true)
            tokens.append(likeliest(logits, below: ordinary))
        }
        let first = try seconds { try step(prompt) }
        let rest = try seconds { while let last = tokens.last, tokens.count < count { try step([last]) } }
        var reply = WorkReply(seconds: count > 1 ? rest : first)
        reply.tokens = tokens
        return reply
    }

    private func likeliest(_ logits: Tensor, below count: Int) -> Int {
        logits.withUnsafeBufferPointer { logits in
            var best = 0
            for index in 0..<min(count, logits.count) where logits[index] > logits[best] { best = index }
            return best
        }
    }

    /// One window's text with several beams, without timestamps.
    func beam(_ work: Work) throws -> WorkReply {
        let (checkpoint, model) = try loaded()
        let audio = try audio(work)
        let transcriber = try Transcriber(model, vocabulary: checkpoint.vocabulary, generation: checkpoint.generation)
        var options = DecodingOptions()
        options.language = work.language ?? "en"
        options.beamSize = work.beams
        options.withoutTimestamps = true
        options.sampleLength = work.count
        var result: DecodingResult?
        let time = try seconds { result = try transcriber.decode(audio: audio, options: options) }
        var reply = WorkReply(seconds: time)
        reply.tokens = result?.tokens
        return reply
    }

    /// `count` prompts side by side, all tokens of each in one pass; the logits after the last.
    func prompts(_ work: Work) throws -> WorkReply {
        let model = try model(), audio = try audio(work)
        let prompt = try needed(work.prompt, "prompt"), count = try needed(work.count, "count")
        // Prompts that differ in their last token.
        let all = (0..<count).map { prompt + [300 + $0] }
        var logits: Tensor?
        let time = try seconds {
            let cache = model.decoderCache(audio: audio, sequences: count)
            logits = try model.decode(all, cache: cache, lastOnly: true)
        }
        var reply = WorkReply(seconds: time)
        reply.probe = logits.map(WorkReply.probe)
        return reply
    }

    /// Recordings from file to text: read, log-mel, windows with timestamps, the likeliest token, no second try.
    func transcribe(_ work: Work) throws -> WorkReply {
        let (checkpoint, model) = try loaded()
        let transcriber = try Transcriber(model, vocabulary: checkpoint.vocabulary, generation: checkpoint.generation)
        var options = TranscribeOptions()
        options.temperatures = [0]
        options.decoding.language = work.language ?? "en"
        options.conditionOnPreviousText = false
        var texts: [String] = []
        let time = try seconds {
            for file in try needed(work.files, "files") {
                let samples = try SampleBuffer.read(.file(file))
                let mel = try RecordingMel(samples, bands: model.dimensions.nMels)
                texts.append(try transcriber.transcribe(mel, options: options).text)
            }
        }
        var reply = WorkReply(seconds: time)
        reply.text = texts.joined(separator: "\n")
        return reply
    }
}
