import CAuscultPlugin
import Messages

// What a plugin asks of the engine with.

extension CReading {
    /// Bytes that may be sent to the engine at once; less than a frame of the daemon's may have.
    static let longestQuestion = 24 << 20
    static let mostInterventions = 1024
    static let mostObjectives = 64

    static func numbers(_ base: UnsafePointer<Int32>?, _ count: UInt64, _ name: String) throws -> [Int32] {
        guard count <= UInt64(longestQuestion / 16) else { throw ResultTooLarge("\(count) \(name) are too many") }
        guard count > 0 else { return [] }
        guard let base else { throw PluginFault("\(count) \(name) at NULL") }
        return Array(UnsafeBufferPointer(start: base, count: Int(count)))
    }

    static func samples(_ samples: UnsafePointer<Float>?, _ count: UInt64) throws -> [UInt8] {
        guard count <= UInt64(longestQuestion / 4) else { throw ResultTooLarge("\(count) samples are too many") }
        guard count > 0 else { return [] }
        guard let samples else { throw PluginFault("\(count) samples at NULL") }
        return Array(UnsafeRawBufferPointer(start: samples, count: Int(count) * 4))
    }

    static func pass(_ c: UnsafePointer<auscult_pass>?) throws -> HostV1.AskPass {
        guard let c else { throw PluginFault("the pass is NULL") }
        let p = c.pointee
        try size(p.struct_size, of: auscult_pass.self, "the pass")
        var ask = HostV1.AskPass(
            interventions: try texts(
                p.interventions, p.intervention_count, most: mostInterventions, "interventions"),
            objectives: try texts(p.objectives, p.objective_count, most: mostObjectives, "objectives"),
            hooks: try texts(p.hooks, p.hook_count, most: DescriptionCheck.mostHooks, "hook points"))
        if p.tokens != nil {
            ask.tokens = HostV1.Tokens(ids: try numbers(p.tokens, UInt64(p.token_count), "tokens"))
        }
        if p.samples != nil { ask.samples = HostV1.Samples(samples: try samples(p.samples, p.sample_count)) }
        if let mel = p.log_mel {
            guard p.samples == nil else {
                throw PluginFault("the pass has samples and a log-mel; one of the two was expected")
            }
            guard Int(mel.pointee.dtype) == AUSCULT_F32 else { throw PluginFault("the log-mel is not F32") }
            ask.logMel = try tensor(mel.pointee, rank: 2, most: longestQuestion)
            let valid = mel.pointee.valid_positions, frames = mel.pointee.shape.1
            guard (0...frames).contains(valid) else {
                throw PluginFault("the log-mel has \(valid) valid positions of \(frames) frames")
            }
            ask.validMelFrames = UInt64(valid)
        }
        return ask
    }
}
