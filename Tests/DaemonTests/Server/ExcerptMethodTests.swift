import Audio
import Daemon
import Foundation
import Messages
import TestSupport
import Testing
import Wire

extension WholeDaemon {
    @Suite("Parts of recordings as sound files", .timeLimit(.minutes(5))) struct ExcerptMethodTests {
        private func samples(_ file: V1.ExcerptFile) throws -> [Float] {
            try SampleBuffer.read(.bytes(file.data, name: "answer")).readAll()
        }

        @Test("a clip, a file, an upload and samples give the same moment, as WAV and as FLAC", arguments: [0, 1])
        func sources(format: Int) async throws {
            let format: V1.SoundFormat = format == 0 ? .wav : .flac
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                let clip = try Sound.samples()
                let file = daemon.folder("a.flac")
                try SoundFileWriter.write(clip, as: .flac16, to: file)
                let sent = try await client.upload(Sound.s16le(clip), .pcmS16le16k).uploadId
                let expected = try Excerpt(
                    of: SampleBuffer(clip), name: "a", seconds: 0.5..<1.5, moment: Moment(frame: 40)
                )
                var request = V1.ExcerptRequest()
                request.span = V1.Span(start: 0.5, end: 1.5)
                request.moment = V1.Moment(frame: 40)
                request.format = format
                let sources: [V1.AudioSource.Source] = [
                    .clip("en-slt-01"), .path(file), .uploadId(sent), .pcmS16le(Sound.s16le(clip)),
                ]
                for source in sources {
                    request.audio = V1.AudioSource(source: source)
                    let answer = try await client.call(V1.AudioRPC.excerpt, request)
                    #expect(answer.mediaType == (format == .wav ? "audio/wav" : "audio/flac"))
                    #expect(answer.data.starts(with: Array((format == .wav ? "RIFF" : "fLaC").utf8)))
                    #expect(answer.samples == 16000 && answer.sampleRate == 16000)
                    #expect(answer.start == 0.5 && answer.end == 1.5)
                    #expect(answer.windowStart == 12300.0 / 16000 && answer.windowEnd == 13300.0 / 16000)
                    #expect(answer.peak == expected.peak && answer.limitedDb == 0)
                    let heard = try samples(answer)
                    #expect(heard.count == 16000)
                    #expect(zip(heard, expected.samples).allSatisfy { abs($0 - $1) <= 0.5 / 32768 + 1e-6 })
                    // The window is the recording's own, bit for bit.
                    #expect(Array(heard[4300..<5300]) == Array(clip[12300..<13300]))
                }
                await client.close()
            }
        }

        @Test("times and frames count from the start of the span that the recording has")
        func spans() async throws {
            try await TestDaemon.run { daemon in
                let clip = try Sound.samples()
                var audio = Sound.clip
                audio.span = V1.Span(start: 0.4, end: 1.4)
                let answer = try await daemon.call(
                    V1.AudioRPC.excerpt,
                    V1.ExcerptRequest(audio: audio, span: V1.Span(start: 0.1), moment: V1.Moment(frame: 10)))
                #expect(answer.start == 0.1 && answer.end == 1 && answer.samples == 14400)
                // Frame 10 of the span lies 0.2 s after its start: at sample 6400 + 3200 of the clip.
                #expect(answer.windowStart == 2700.0 / 16000 && answer.windowEnd == 3700.0 / 16000)
                #expect(try Array(samples(answer)[1100..<2100]) == Array(clip[9100..<10100]))
            }
        }

        @Test("made much louder, nothing exceeds full scale, and the answer says by how much it was turned down")
        func loud() async throws {
            try await TestDaemon.run { daemon in
                let answer = try await daemon.call(
                    V1.AudioRPC.excerpt, V1.ExcerptRequest(audio: Sound.clip, moment: V1.Moment(frame: 40), gainDb: 40))
                #expect(answer.limitedDb < -6 && answer.peak <= 1 && answer.peak > 0.9)
                #expect(try samples(answer).allSatisfy { abs($0) <= 32767.0 / 32768 })
                // All of it where nothing was asked for.
                #expect(answer.samples == UInt64(try Sound.samples().count))
            }
        }

        @Test("what makes no sense is refused, and the connection lives")
        func refusals() async throws {
            try await TestDaemon.run { daemon in
                let client = try await daemon.connect()
                func refused(
                    _ word: String, _ change: (inout V1.ExcerptRequest) -> Void,
                    sourceLocation: SourceLocation = #_sourceLocation
                ) async {
                    var request = V1.ExcerptRequest(audio: Sound.clip)
                    change(&request)
                    await expectFailure(
                        .invalidArgument, "invalid_argument", naming: word, sourceLocation: sourceLocation
                    ) { try await client.call(V1.AudioRPC.excerpt, request) }
                }
                await refused("names no recording") { $0.audio = nil }
                await refused("sound format 7") { $0.format = V1.SoundFormat(rawValue: 7) }
                await refused("0 ≤ start < end") { $0.span = V1.Span(start: 2, end: 1) }
                await refused("0 ≤ start < end") { $0.span = V1.Span(start: .nan) }
                await refused("cannot start at 99.0 s") { $0.span = V1.Span(start: 99) }
                await refused("18446744073709551615") { $0.moment = V1.Moment(frame: .max) }
                await refused("no moment") { $0.moment = V1.Moment(frame: 5000) }
                await refused("4294967295 samples") { $0.moment = V1.Moment(frame: 0, windowSamples: .max) }
                await refused("nan ms") { $0.moment = V1.Moment(frame: 0, edgeMs: .nan) }
                await refused("-1.0 ms") { $0.moment = V1.Moment(frame: 0, edgeMs: -1) }
                await refused("3.0 dB") { $0.moment = V1.Moment(frame: 0, surroundingsDb: 3) }
                await refused("inf dB") { $0.gainDb = .infinity }
                await refused("is not absolute") { $0.audio = V1.AudioSource(source: .path("a.wav")) }
                let long = daemon.folder("long.wav")
                try Sound.longRecording(seconds: 121, at: long)
                await refused("at most 120.0 s") { $0.audio = V1.AudioSource(source: .path(long)) }
                var whole = V1.ExcerptRequest(audio: V1.AudioSource(source: .path(long)))
                whole.span = V1.Span(start: 1)
                #expect(try await client.call(V1.AudioRPC.excerpt, whole).samples == 120 * 16000)
                await client.close()
            }
        }
    }
}
