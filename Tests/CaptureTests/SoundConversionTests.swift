import Audio
@testable import Capture
import CaptureChannel
import Foundation
import Testing

@Suite("A device's sound on its way to 16 kHz") struct SoundConversionTests {
    private func tone(_ rate: Int, from: Int = 0, count: Int) -> [Float] {
        (from..<from + count).map { Float(sin(2 * Double.pi * 440 * Double($0) / Double(rate)) / 2) }
    }

    private typealias Sound = (captured: Int64, lost: UInt64, samples: [Int16])

    private func sounds(_ records: [CaptureRecord]) -> [Sound] {
        records.compactMap {
            if case .sound(let captured, let lost, let samples) = $0 { (captured, lost, samples) } else { nil }
        }
    }

    @Test(
        "a tone keeps its phase and its time at every rate: the filter's delay is in none",
        arguments: [8000, 16000, 44100, 48000, 96000])
    func delay(rate: Int) throws {
        var conversion = try SoundConversion(rate: rate)
        let base = 1_700_000_000.0
        var found: [Sound] = []
        let block = rate / 100
        for index in 0..<200 {
            let samples = tone(rate, from: index * block, count: block)
            found += try samples.withUnsafeBufferPointer {
                sounds(try conversion.append($0, time: base + Double(index) / 100))
            }
        }
        var at = 0
        var worst = 0.0
        for sound in found {
            #expect(sound.lost == 0)
            #expect(abs(Double(sound.captured) * 1e-9 - base - Double(at) / 16000) < 1e-4)
            for sample in sound.samples {
                // Away from the ends, where the tone is cut.
                if at > 1600, at < 24_000 {
                    let expected = sin(2 * Double.pi * 440 * Double(at) / 16000) / 2
                    worst = max(worst, abs(Double(sample) / 32768 - expected))
                }
                at += 1
            }
        }
        #expect(at > 28_000 && worst < 0.002, "\(at) samples, \(worst)")
    }

    @Test("what was lost is counted at 16 kHz, and nothing is computed across it", arguments: [16000, 44100, 48000])
    func loss(rate: Int) throws {
        var conversion = try SoundConversion(rate: rate)
        var found: [Sound] = []
        let block = rate / 100
        var frame = 0
        for index in 0..<300 {
            // Half a second is lost after the first second.
            let lost = index == 100 ? rate / 2 : 0
            frame += lost
            let loud = [Float](repeating: index < 100 ? 0.5 : -0.5, count: block)
            found += try loud.withUnsafeBufferPointer {
                sounds(try conversion.append($0, time: Double(frame) / Double(rate), lost: lost))
            }
            frame += block
        }
        #expect(found.reduce(0) { $0 + Int($1.lost) } == 8000)
        let index = try #require(found.firstIndex { $0.lost > 0 })
        // All of the first second came before it, and none of it after.
        #expect(found[..<index].reduce(0) { $0 + $1.samples.count } == 16000)
        #expect(abs(Double(found[index].captured) * 1e-9 - 1.5) < 0.01)
        #expect(found[index...].allSatisfy { $0.samples.allSatisfy { $0 < 1000 } })
    }

    @Test("an overflow is as long as the clock says, and never nothing")
    func overflow() {
        var timeline = SoundTimeline(rate: 16000)
        for index in 0..<100 { #expect(timeline.append(frames: 160, time: 5 + Double(index) / 100) == 0) }
        #expect(timeline.append(frames: 160, time: 5 + 1.25, overflow: true) == 4000)
        #expect(timeline.append(frames: 160, time: 5 + 1.25, overflow: true) == 1)
        // What the ring lost is known, and the clock may say more.
        #expect(timeline.append(frames: 160, time: 5 + 1.28, lost: 160) == 160)
    }

    @Test("a device may keep some sound and be late, and gives none faster than time goes by for long")
    func pace() {
        var pace = SoundPace(rate: 16000)
        for index in 0..<1000 {
            // It hangs for half a second now and then, and makes up for it at once.
            let isPossible = pace.isPossible(frames: 160, at: Double(index / 50) * 0.5)
            #expect(isPossible)
        }
        var flood = SoundPace(rate: 16000)
        let passed = (0..<1000).prefix { flood.isPossible(frames: 160, at: Double($0) / 10_000) }.count
        #expect((90...120).contains(passed))
    }

    @Test("a device whose rate is not quite what it says is followed")
    func drift() {
        var timeline = SoundTimeline(rate: 16000)
        // 100 parts in a million too slow, for ten minutes, with times that jitter by 3 ms.
        var worst = 0.0
        for index in 0..<60_000 {
            let true_ = Double(index) / 100 * 1.0001
            _ = timeline.append(frames: 160, time: true_ + (index % 7 == 0 ? 0.003 : -0.0005))
            if index > 1000 { worst = max(worst, abs(timeline.time(ofFrame: Double(index * 160)) - true_)) }
        }
        #expect(worst < 0.002, "\(worst)")
    }
}

@Suite("What the helper says to the daemon") struct CaptureRecordTests {
    private let records: [CaptureRecord] = [
        .device(
            CaptureDevice(
                number: 3, name: "Mikrofön", hostAPI: "ALSA", channels: 2, rate: 48000, latency: 0.01, isDefault: true)),
        .opened(name: "x", rate: 44100, latency: 0.02),
        .sound(captured: 1_700_000_000_123_456_789, lost: 7, samples: [.min, -1, 0, 1, .max]),
        .sound(captured: -1, lost: 0, samples: []), .failed("no"),
    ]

    @Test("records come out as they went in, however they are cut")
    func roundTrip() {
        let bytes = records.flatMap(\.bytes)
        for piece in [1, 2, 7, 64, bytes.count] {
            var reader = CaptureRecords()
            var found: [CaptureRecord] = []
            for start in stride(from: 0, to: bytes.count, by: piece) {
                found += reader.append(bytes[start..<min(start + piece, bytes.count)]) ?? []
            }
            #expect(found == records)
        }
    }

    @Test("bytes that are no record are refused")
    func refused() {
        for bytes: [UInt8] in [
            [1, 0, 0, 0, 99], [0, 0, 0, 0], [255, 255, 255, 255], [2, 0, 0, 0, 4, 1], [3, 0, 0, 0, 3, 0, 0],
        ] {
            var reader = CaptureRecords()
            #expect(reader.append(bytes) == nil)
        }
    }

    @Test("a device is meant by number, name, or a part of one name; otherwise a sentence says what there is")
    func names() {
        func device(_ number: Int, _ name: String, isDefault: Bool = false) -> CaptureDevice {
            CaptureDevice(
                number: number, name: name, hostAPI: "ALSA", channels: 1, rate: 48000, latency: 0, isDefault: isDefault)
        }
        let devices = [
            device(2, "USB Microphone"), device(4, "Built-in Microphone", isDefault: true), device(5, "USB"),
        ]
        func number(_ wanted: String) -> Int? { CaptureDevice.named(wanted, in: devices).device?.number }
        #expect(number("") == 4 && number("2") == 2 && number("USB") == 5 && number("built") == 4)
        #expect(number("3") == nil && number("microphone") == nil && number("x") == nil)
        #expect(
            CaptureDevice.named("microphone", in: devices).problem.contains("USB Microphone or Built-in Microphone"))
        #expect(CaptureDevice.named("x", in: devices).problem.contains("4 Built-in Microphone"))
        #expect(CaptureDevice.named("", in: []).problem.contains("no sound input"))
    }
}
