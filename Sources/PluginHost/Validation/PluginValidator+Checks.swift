import Files
import Messages

extension PluginValidator {
    /// Seconds that create() may take.
    static let slowest = 10.0
    /// How far a merged run may be from one run over all.
    static let mergeTolerance = 1e-5

    // MARK: - Loading and arguments

    func describes() throws -> Outcome {
        let first = try ValidationRun(self)
        let second = try ValidationRun(self)
        guard try first.process.describe() == second.process.describe() else {
            throw BrokenCheck("two processes were given different descriptions")
        }
        try first.close()
        try second.close()
        let description = try description()
        return .passed("\(description.parameters.count) parameters, \(description.outputs.count) outputs")
    }

    func agrees() throws -> Outcome {
        let listing = try description().listing ?? V1.PluginListing()
        for (name, manifest, descriptor) in [
            ("name", bundle.name, listing.name), ("vendor", bundle.vendor, listing.vendor),
            ("licence", bundle.licence, listing.licence),
        ] where manifest != descriptor {
            throw BrokenCheck("the manifest has the \(name) '\(manifest)', the descriptor '\(descriptor)'")
        }
        return .passed("")
    }

    func takesDefaults() throws -> Outcome {
        let run = try ValidationRun(self)
        try run.create()
        let given = Set(arguments.map(\.id)).subtracting(manifestArguments.map(\.id))
        let defaults = try run.process.describe().parameters
            .filter { !given.contains($0.id) && ($0.kind != "path" || !$0.default.isEmpty) }
            .map { V1.PluginArgument(id: $0.id, value: $0.default) }
        try run.create(defaults, instance: 1)
        try run.close()
        let others = manifestArguments.map { "\($0.id)=\($0.value)" }
        return .passed(
            others.isEmpty ? "" : "its manifest has the other checks made with \(others.joined(separator: ", "))")
    }

    func takesBounds() throws -> Outcome {
        let run = try ValidationRun(self)
        var tried = 0
        for parameter in try run.process.describe().parameters {
            for value in Self.bounds(of: parameter) {
                do {
                    try run.create([V1.PluginArgument(id: parameter.id, value: value)])
                    try run.process.destroy(instance: 0)
                } catch let error as PluginError {
                    throw BrokenCheck("with \(parameter.id) = \(value): \(error)", cause: error)
                }
                tried += 1
            }
        }
        try run.close()
        return tried == 0 ? .skipped("no parameter has bounds") : .passed("\(tried) values")
    }

    private static func bounds(of parameter: V1.PluginParameter) -> [String] {
        switch parameter.kind {
        case "integer":
            [parameter.minimum?.rounded(.up), parameter.maximum?.rounded(.down)].compactMap {
                $0.flatMap(Int64.init(exactly:))
            }
            .map(String.init)
        case "number": [parameter.minimum, parameter.maximum].compactMap { $0 }.map { String($0) }
        case "boolean": ["true", "false"]
        case "choice": parameter.choices
        default: []
        }
    }

    /// The host would refuse these; a plugin must not rely on it so far that it crashes.
    func survivesOutOfRange() throws -> Outcome {
        let run = try ValidationRun(self)
        var tried = 0
        for parameter in try run.process.describe().parameters {
            let values: [String] =
                switch parameter.kind {
                case "integer", "number":
                    [
                        parameter.minimum.map { "\(Int64(clamping: Int($0.isFinite && abs($0) < 1e15 ? $0 : 0)) - 1)" },
                        parameter.maximum.map { "\(Int64(clamping: Int($0.isFinite && abs($0) < 1e15 ? $0 : 0)) + 1)" },
                        "none", "", "nan", "1e999",
                    ].compactMap { $0 }
                case "boolean", "choice": ["", "neither"]
                case "path": ["", "/nowhere/at/all"]
                default: []
                }
            for value in values {
                tried += 1
                do {
                    _ = try run.process.create(
                        arguments: arguments(with: [V1.PluginArgument(id: parameter.id, value: value)]), instance: 0,
                        checked: false)
                    try run.process.destroy(instance: 0)
                } catch let error as PluginError where error.isCrash {
                    throw BrokenCheck("with \(parameter.id) = '\(value)': \(error)", cause: error)
                } catch is PluginError {}
            }
        }
        try run.close()
        return tried == 0 ? .skipped("no parameter has a range") : .passed("\(tried) values")
    }

    func isMadeQuickly() throws -> Outcome {
        let run = try ValidationRun(self)
        let start = ContinuousClock.now
        try run.create()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        try run.close()
        guard seconds <= Self.slowest else { throw BrokenCheck("create() took \(seconds) s") }
        return .passed("create() took \((seconds * 1e4).rounded() / 10) ms")
    }

    // MARK: - Sounds

    func needsWhatThereIs() throws -> Outcome {
        try withRun { run, needs in
            if needs.nothingToHear { return .skipped("it needs no recordings") }
            do { _ = try clips(of: .silence, needs) } catch let error as UnmetNeeds {
                throw BrokenCheck("it can never run with this model: \(error.reason)")
            }
            return .passed(needs.hooks.isEmpty ? "" : "\(needs.hooks.count) hook points or globs")
        }
    }

    func hears(_ sound: PluginSound, mustFinish: Bool) throws -> Outcome {
        try withRun { run, needs in
            if needs.nothingToHear { return .skipped("it needs no recordings") }
            // Sounds without labels are nothing to learn from.
            return try surviving(refusalIsFine: !mustFinish || needs.labels) {
                try run.hear(sound)
                try run.finish()
            }
        }
    }

    func survivesNaN() throws -> Outcome {
        try withRun { run, needs in
            if needs.nothingToHear { return .skipped("it needs no recordings") }
            if needs.hooks.isEmpty { return .skipped("it gets no tensors") }
            return try surviving(refusalIsFine: true) {
                try run.hear(.voice(number: 0)) { clip in
                    var clip = clip
                    clip.tensors = clip.tensors.map(\.withoutFiniteNumbers)
                    return clip
                }
                try run.finish()
            }
        }
    }

    func survivesNothing() throws -> Outcome {
        try withRun { run, _ in try surviving(refusalIsFine: true) { try run.finish() } }
    }

    func canBeDestroyed() throws -> Outcome {
        try withRun { run, _ in
            try run.hear(.voice(number: 0))
            try run.process.destroy(instance: 0)
            return .passed("")
        }
    }

    // MARK: - Results

    func isDeterministic() throws -> Outcome {
        let (first, second) = (try results(of: [0, 1]), try results(of: [0, 1]))
        if let difference = ResultComparison.difference(first, second, tolerance: 0) {
            throw BrokenCheck("with the same seed and the same clips: \(difference)")
        }
        return .passed("\(first.count) results")
    }

    func keepsInstancesApart() throws -> Outcome {
        let alone = [try results(of: [0]), try results(of: [1])]
        let run = try ValidationRun(self)
        try run.begin(instance: 0)
        try run.begin(instance: 1)
        var together: [[V1.PluginResult]] = [[], []]
        for instance: UInt32 in [0, 1] {
            try run.hear(part: Int(instance), instance: instance)
            together[Int(instance)] += run.takeResults()
        }
        for instance: UInt32 in [0, 1] {
            try run.finish(instance: instance)
            together[Int(instance)] += run.takeResults()
        }
        try run.close()
        for index in 0..<2 {
            if let difference = ResultComparison.difference(alone[index], together[index], tolerance: 0) {
                throw BrokenCheck("alone and beside another instance: \(difference)")
            }
        }
        return .passed("")
    }

    func declaresResults() throws -> Outcome {
        try withRun { run, _ in
            try run.hear(part: 0)
            try run.finish()
            if let refused = run.refusedResults.first { throw BrokenCheck(refused) }
            let outputs = Set(run.takeResults().map(\.outputId))
            let silent = try run.process.describe().outputs.map(\.id).filter { !outputs.contains($0) }
            return .passed(silent.isEmpty ? "" : "nothing came of \(silent.joined(separator: ", "))")
        }
    }

    func isQuiet() throws -> Outcome {
        let run = try ValidationRun(self)
        try run.begin()
        try run.hear(part: 0)
        try run.finish()
        guard try !run.close() else {
            throw BrokenCheck("there were bytes on its standard output; the log is for words")
        }
        return .passed("")
    }

    // MARK: - Confinement

    /// What is refused in other checks ends the process in this one.
    func keepsToItsPlace() throws -> Outcome {
        guard ConfinementSupport.seccomp else { return .skipped("this kernel cannot tell: it has no seccomp filters") }
        if permissions.unconfined { return .skipped("it is not confined") }
        let run = try ValidationRun(self, isStrict: true)
        do {
            try run.begin()
            try run.hear(part: 0)
            try run.finish()
            try run.close()
        } catch let error as PluginError where error.message.contains("SIGSYS") {
            throw BrokenCheck(
                "\(error): it tried to start a process, to reach another one, to open a socket, or to change the system",
                cause: error)
        }
        return .passed("")
    }

    /// Where processes can be started at all.
    func leavesNothing() throws -> Outcome {
        if ConfinementSupport.seccomp, !permissions.unconfined { return .skipped("confined, it can start none") }
        let run = try ValidationRun(self)
        try run.begin()
        try run.hear(part: 0)
        try run.finish()
        try run.close()
        if let left = run.leftBehind { throw BrokenCheck(left) }
        return .passed("")
    }

    // MARK: - What the checks share

    func description() throws -> V1.PluginDescription {
        let run = try ValidationRun(self)
        defer { run.process.close() }
        return try run.process.describe()
    }

    /// Runs `body` with an activated instance in a process that must end well.
    func withRun(_ body: (ValidationRun, PluginNeedsValue) throws -> Outcome) throws -> Outcome {
        let run = try ValidationRun(self)
        try run.begin()
        let outcome = try body(run, run.needs[0] ?? PluginNeedsValue())
        try run.close()
        return outcome
    }

    private func surviving(refusalIsFine: Bool, _ body: () throws -> Void) throws -> Outcome {
        do { try body() } catch let error as PluginError where refusalIsFine && !error.isCrash {
            return .passed("refused: \(error.message)")
        }
        return .passed("")
    }
}

extension PluginTensor {
    /// The same, with every third number NaN and every other third infinite.
    var withoutFiniteNumbers: PluginTensor {
        guard dtype == .f32, let count = try? byteCount / 4 else { return self }
        var numbers = [Float](repeating: 0.5, count: count)
        for index in numbers.indices { numbers[index] = index % 3 == 0 ? .nan : index % 3 == 1 ? .infinity : -0.5 }
        return PluginTensor(
            shape: shape, numbers, hook: hook, axes: axes, firstPosition: firstPosition,
            positionsPerSecond: positionsPerSecond, validPositions: validPositions)
    }
}
