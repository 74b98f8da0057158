import PluginKit

/// What a dream asks of the model.
protocol DreamModel {
    var bands: Int { get }
    /// Mel frames that the model takes in with `frames` of sound: those, or a whole window.
    func context(frames: Int) throws -> Int
    /// The objectives' values at a log-mel `[bands, frames]`, of which the first `valid` frames are sound, and their gradients there.
    func gradients(_ mel: [Float], valid: Int, objectives: [String]) throws -> (values: [Double], gradients: [[Float]])
    /// The largest value of a target that the model gives for a sound, and its frame; for words there is one, of no frame.
    func largest(_ target: DreamTarget, samples: [Float]) throws -> Moment
    /// The same for a log-mel.
    func largest(_ target: DreamTarget, mel: [Float], valid: Int) throws -> Moment
    /// Columns of the target's hook point, of one head where it has heads.
    func columns(_ target: DreamTarget, mel: [Float]) throws -> Int
}

/// The largest value, and where it was first.
struct Moment: Equatable {
    var value: Double
    var frame: Int
}

extension DreamTarget {
    /// Nil where there are no positions.
    func moment(_ tensor: TensorView) throws -> Moment? {
        let values = try values(tensor)
        // The first of equals.
        guard let place = values.indices.max(by: { values[$0] < values[$1] || (values[$0] == values[$1] && $0 > $1) })
        else { return nil }
        return Moment(value: Double(values[place]), frame: place)
    }
}

/// The host's model.
struct HostModel: DreamModel {
    let host: Host
    let bands: Int

    func context(frames: Int) throws -> Int {
        var found = 0
        try host.pass(.samples([Float](repeating: 0, count: 160 * frames)), hooks: ["log_mel"]) {
            if $0.hook == "log_mel", $0.rank == 2 { found = $0.shape[1] }
        }
        guard found >= frames else {
            throw PluginError(.unsupported, "\(frames) mel frames are more than the model takes: \(found)")
        }
        return found
    }

    func gradients(
        _ mel: [Float], valid: Int, objectives: [String]
    ) throws -> (values: [Double], gradients: [[Float]]) {
        var gradients: [[Float]] = []
        let values = try host.pass(
            .logMel(mel, bands: bands, valid: valid), objectives: objectives, hooks: ["log_mel"]
        ) { tensor in
            if tensor.hook.hasPrefix("log_mel@grad") { gradients.append(tensor.floats()) }
        }
        guard gradients.count == objectives.count, values.count == objectives.count,
            gradients.allSatisfy({ $0.count == mel.count })
        else {
            throw PluginError(
                .failed,
                "the host gave \(gradients.count) gradients of \(gradients.first?.count ?? 0) numbers for "
                    + "\(objectives.count) objectives over \(mel.count)")
        }
        guard values.allSatisfy(\.isFinite), gradients.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw PluginError(.failed, "the gradient of \(objectives.joined(separator: ", ")) is not finite")
        }
        return (values, gradients)
    }

    func largest(_ target: DreamTarget, samples: [Float]) throws -> Moment {
        try largest(target, .samples(samples))
    }

    func largest(_ target: DreamTarget, mel: [Float], valid: Int) throws -> Moment {
        try largest(target, .logMel(mel, bands: bands, valid: valid))
    }

    func columns(_ target: DreamTarget, mel: [Float]) throws -> Int {
        var found = 0
        try host.pass(.logMel(mel, bands: bands), hooks: [target.hook]) {
            if $0.hook == target.hook { found = $0.shape.last ?? 0 }
        }
        return found
    }

    private func largest(_ target: DreamTarget, _ sound: PassSound) throws -> Moment {
        if target.isWords {
            let objectives = try target.objectives(frame: 0, others: false, file: "")
            let values = try host.pass(sound, objectives: objectives, hooks: ["decoder.logits"]) { _ in }
            guard let value = values.first, value.isFinite else {
                throw PluginError(.failed, "the host gave no log-probability for \(target.name)")
            }
            return Moment(value: value, frame: 0)
        }
        var moment: Moment?
        try host.pass(sound, hooks: [target.hook]) { if $0.hook == target.hook { moment = try target.moment($0) } }
        guard let moment else { throw PluginError(.failed, "the host gave no values of \(target.hook)") }
        return moment
    }
}
