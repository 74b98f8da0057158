import Daemon
import Foundation
import Logging
import Messages
import TestSupport
import Testing
import Whisper
import Wire

extension WholeDaemon {
    @Suite("Transcribing over the socket", .timeLimit(.minutes(5))) struct TranscribeMethodTests {
        @Test("a stream begins with its subscription, then come segments and progress, then the transcript")
        func stream() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let request = V1.TranscribeRequest(
                    audio: Sound.clip("en-long-01"), options: V1.DecodingOptions(temperatures: [0]))
                let whole = try await client.call(V1.TranscribeRPC.transcribe, request)
                var events: [V1.TranscribeEvent.Event] = []
                for try await event in try await client.stream(V1.TranscribeRPC.stream, request) {
                    events.append(try #require(event.event))
                }
                guard case .started(let started)? = events.first, case .done(let done)? = events.last else {
                    Issue.record("\(events)")
                    return
                }
                #expect(!started.subscriptionId.isEmpty)
                #expect(done == whole && whole.segments.count > 1 && whole.file == "demo:en-long-01")
                var segments: [V1.Segment] = []
                var progress: [Double] = []
                for event in events.dropFirst().dropLast() {
                    switch event {
                    case .segment(let segment): segments.append(segment)
                    case .progress(let step):
                        progress.append(step.done)
                        #expect(step.unit == "seconds" && abs(step.total - whole.duration) < 0.02)
                    default: Issue.record("\(event)")
                    }
                }
                #expect(segments == whole.segments)
                #expect(!progress.isEmpty && progress == progress.sorted())
                await client.close()
            }
        }

        @Test("what is asked for is done: a span, words, a beam, a seed; and what makes no sense is refused")
        func options() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                func transcribe(
                    _ options: V1.DecodingOptions, _ audio: V1.AudioSource = Sound.clip, deadline: Int64 = 0
                ) async throws -> V1.Transcript {
                    try await client.call(
                        V1.TranscribeRPC.transcribe,
                        V1.TranscribeRequest(audio: audio, options: options, deadlineMs: deadline))
                }
                let words = try await transcribe(V1.DecodingOptions(wordTimestamps: true))
                #expect(words.segments.allSatisfy { $0.hasWords && !$0.words.isEmpty })
                let part = V1.AudioSource(source: .clip("en-long-01"), span: V1.Span(start: 3, end: 6))
                let span = try await transcribe(V1.DecodingOptions(temperatures: [0]), part)
                #expect(span.duration == 3 && span.segments.allSatisfy { $0.start >= 3 })
                #expect(try await transcribe(V1.DecodingOptions(seed: 9)).seed == 9)
                #expect(try await transcribe(V1.DecodingOptions(beamSize: 2)).language == "en")
                let bad: [(V1.DecodingOptions, String)] = [
                    (V1.DecodingOptions(language: "klingon"), "klingon"),
                    (V1.DecodingOptions(task: V1.Task(rawValue: 7)), "7"),
                    (V1.DecodingOptions(temperatures: [-1]), "-1"),
                    (V1.DecodingOptions(temperatures: [.nan]), "temperature"),
                    (V1.DecodingOptions(beamSize: 1_000_000), "1000000"),
                    (V1.DecodingOptions(bestOf: .max), "4294967295"),
                ]
                for (options, word) in bad {
                    await expectFailure(.invalidArgument, "invalid_argument", naming: word) {
                        try await transcribe(options)
                    }
                }
                await expectFailure(.invalidArgument, "", naming: "deadline_ms", "-5") {
                    try await transcribe(V1.DecodingOptions(), deadline: -5)
                }
                await client.close()
            }
        }

        @Test("numbers that mean nothing are refused or do nothing; none ends the daemon")
        func strangeNumbers() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                var options: [V1.DecodingOptions] = []
                for number in [Double.nan, .infinity, -.infinity, 1e300, -1e300, -1, 1e-320] {
                    let threshold = V1.Threshold(value: number)
                    options += [
                        V1.DecodingOptions(temperatures: [number]), V1.DecodingOptions(beamSize: 2, patience: number),
                        V1.DecodingOptions(lengthPenalty: number),
                        V1.DecodingOptions(compressionRatioThreshold: threshold, logprobThreshold: threshold),
                        V1.DecodingOptions(noSpeechThreshold: threshold),
                        V1.DecodingOptions(wordTimestamps: true, hallucinationSilenceThreshold: threshold),
                        V1.DecodingOptions(maxInitialTimestamp: threshold),
                        V1.DecodingOptions(clipTimestamps: [number]), V1.DecodingOptions(clipTimestamps: [0, number]),
                        V1.DecodingOptions(clipTimestamps: [number, number]),
                    ]
                }
                options += [
                    V1.DecodingOptions(sampleLength: .max), V1.DecodingOptions(sampleLength: 1),
                    V1.DecodingOptions(suppressTokens: V1.TokenIds(ids: [.min, -1, .max, 1_000_000])),
                    V1.DecodingOptions(initialPrompt: String(repeating: " word", count: 10_000)),
                    V1.DecodingOptions(prefix: String(repeating: " word", count: 10_000)),
                    V1.DecodingOptions(temperatures: [0.5], bestOf: 1000), V1.DecodingOptions(seed: .max),
                ]
                for option in options {
                    let request = V1.TranscribeRequest(audio: Sound.clip("fr-male-02"), options: option)
                    do { _ = try await client.call(V1.TranscribeRPC.transcribe, request) } catch let error as WireError
                    {
                        #expect(error.code == .invalidArgument && !error.message.isEmpty, "\(error) for \(option)")
                    }
                }
                #expect(try await client.status().connections == 1)
                await client.close()
            }
        }

        @Test("a deadline ends the work, and what waits for it")
        func deadlines() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let file = daemon.folder("long.wav")
                try Sound.longRecording(seconds: 300, at: file)
                let audio = V1.AudioSource(source: .path(file))
                let request = V1.TranscribeRequest(audio: audio, deadlineMs: 50)
                await expectFailure(.deadlineExceeded, "deadline_exceeded") {
                    try await client.call(V1.TranscribeRPC.transcribe, request)
                }
                await expectFailure(.deadlineExceeded, "deadline_exceeded") {
                    for try await _ in try await client.stream(V1.TranscribeRPC.stream, request) {}
                }
                await expectFailure(.deadlineExceeded, "deadline_exceeded") {
                    try await client.call(
                        V1.TranscribeRPC.transcribe, V1.TranscribeRequest(audio: audio), timeout: .milliseconds(50))
                }
                try await eventually("the engine is free again") { try await client.isAtRest() }
                await client.close()
            }
        }

        @Test("an intervention means the same as text and as parts, and does something")
        func interventions() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                func transcribe(_ interventions: [V1.Intervention]) async throws -> V1.Transcript {
                    let options = V1.DecodingOptions(language: "en", temperatures: [0])
                    let request = V1.TranscribeRequest(
                        audio: Sound.clip, options: options, interventions: interventions)
                    return try await client.call(V1.TranscribeRPC.transcribe, request)
                }
                let text = try await transcribe([V1.Intervention(text: "encoder.blocks.3.mlp = scale 0.25")])
                let parts = try await transcribe([
                    V1.Intervention(hook: "encoder.blocks.3.mlp", operation: .scale(0.25))
                ])
                #expect(text == parts)
                #expect(text.segments != (try await transcribe([])).segments)
                let bad: [(V1.Intervention, String)] = [
                    (V1.Intervention(), "no hook point"), (V1.Intervention(hook: "encoder.ln_post"), "no operation"),
                    (V1.Intervention(text: "x = zero", hook: "encoder.ln_post"), "text form"),
                    (V1.Intervention(text: "encoder.nothing = zero"), "encoder.nothing"),
                    (V1.Intervention(hook: "encoder.ln_post", operation: .set(V1.TensorValue())), "no tensor"),
                    (
                        V1.Intervention(
                            hook: "encoder.ln_post",
                            operation: .set(
                                V1.TensorValue(value: .tensor(V1.Tensor(dtype: .f32, shape: [2, 2], data: [1]))))),
                        "shape"
                    ),
                    (
                        V1.Intervention(
                            hook: "encoder.ln_post",
                            operation: .set(
                                V1.TensorValue(value: .tensor(V1.Tensor(dtype: .f16, shape: [1], data: [0, 0])))
                            )), "F32"
                    ),
                    (
                        V1.Intervention(
                            hook: "encoder.ln_post",
                            operation: .set(
                                V1.TensorValue(value: .tensor(V1.Tensor(dtype: .f32, shape: [.max, .max], data: []))))),
                        "shape"
                    ),
                ]
                for (intervention, word) in bad {
                    await expectFailure(.invalidArgument, "invalid_argument", naming: word) {
                        try await transcribe([intervention])
                    }
                }
                await client.close()
            }
        }

        @Test("the language of a recording is told with all others, likeliest first")
        func languages() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                for (clip, language) in [("en-slt-01", "en"), ("fr-male-03", "fr")] {
                    let answer = try await client.call(
                        V1.TranscribeRPC.detectLanguage, V1.DetectLanguageRequest(audio: Sound.clip(clip)))
                    #expect(answer.languages.first?.language == language)
                    let chances = answer.languages.map(\.probability)
                    #expect(chances == chances.sorted(by: >) && abs(chances.reduce(0, +) - 1) < 1e-3)
                }
                await expectFailure(.notFound, "not_found", naming: "nothing") {
                    try await client.call(
                        V1.TranscribeRPC.detectLanguage, V1.DetectLanguageRequest(audio: Sound.clip("nothing")))
                }
                await client.close()
            }
        }
    }
}
