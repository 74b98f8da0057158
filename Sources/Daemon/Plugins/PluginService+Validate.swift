import Audio
import DataSets
import Foundation
import PluginHost

extension PluginService {
    /// Tries a bundle out: one process for each check.
    /// - Parameter tell: gets each check, from a thread that may block.
    func validate(
        _ request: ValidationRequest, client: ClientID, deadline: ContinuousClock.Instant?,
        tell: @escaping @Sendable (ValidationCheck) throws -> Void
    ) async throws -> ValidationTally {
        try Engine.checkAbsolute(request.bundle)
        let bundle = try PluginBundle(folder: request.bundle)
        return try await engine.run(request.model, client: client, deadline: deadline) { [folder] model, turn in
            // Not the folder of its runs, which a check must leave alone.
            let scratch = "\(folder)/.validate-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: scratch) }
            let services = EngineServices(plugin: bundle.id, model: model, turn: turn, folder: scratch)
            let run = try PluginRunValue(model, recordings: 0, seed: 0)
            let validator = PluginValidator(
                bundle, arguments: request.arguments, permissions: request.permissions, run: run, services: services
            ) { sound, needs in
                services.take(needs)
                return try turn.resumed {
                    let capture = try PluginCapture(needs, interventions: [], plugin: bundle.id, model: model)
                    return try capture.clips(of: sound, turn)
                }
            }
            return try turn.suspended {
                try validator.checkArguments()
                return try validator.checked(tell)
            }
        }
    }
}

extension PluginCapture {
    /// The windows of a sound that every plugin must survive.
    func clips(of sound: PluginSound, _ turn: EngineTurn) throws -> [PluginClipValue] {
        let rate = SampleBuffer.sampleRate
        var item = DataSetItem(name: "\(sound)", source: .path("\(sound)"))
        let samples: [Float]
        switch sound {
        case .silence: samples = [Float](repeating: 0, count: 2 * rate)
        case .oneSample: samples = [0.5]
        case .noise:
            var state: UInt32 = 1
            samples = (0..<3 * rate).map { _ in
                // Numerical Recipes' linear congruential generator: noise that is the same each time.
                state = state &* 1_664_525 &+ 1_013_904_223
                return Float(state >> 8) / Float(1 << 23) - 1
            }
        case .voice(let number):
            let clips = try DemoClips.items().filter { $0.text != nil }
            guard !clips.isEmpty else { throw NothingToShow("no clips of speech are embedded in this build") }
            item = clips[Self.spread(number, over: clips.count)]
            item.index = number
            samples = try PluginRecording(item: item, recording: nil).input().input.read(seconds: nil).readAll()
        }
        var clips: [PluginClipValue] = []
        try forEachWindow(of: item, SampleBuffer(samples), turn: turn) { clips.append($0) }
        return clips
    }

    /// Each of `count` places once before one comes again, those of neighbouring numbers far from each other: the clips
    /// of one language and one speaker lie together.
    private static func spread(_ number: Int, over count: Int) -> Int {
        func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
        // The golden section of them, or the next that has no divisor in common with their number.
        var step = max(1, Int(0.618 * Double(count)))
        while divisor(step, count) != 1 { step += 1 }
        return abs(number % count) * step % count
    }
}
