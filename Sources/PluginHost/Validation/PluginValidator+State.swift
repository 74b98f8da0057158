import Messages

extension PluginValidator {
    private static let stateless = Outcome.skipped("it saves no state")

    /// Two runs apart, put together, against one run over both.
    func merges() throws -> Outcome {
        let parts = [0, 1]
        var isOneRun = false
        var states: [[UInt8]] = []
        var results: [V1.PluginResult] = []
        for part in parts {
            let run = try ValidationRun(self)
            try run.begin()
            guard run.needs[0]?.hasState == true else { return Self.stateless }
            isOneRun = run.needs[0]?.oneRun == true
            try run.hear(part: part)
            states.append(try run.process.save())
            results += run.takeResults()
            try run.close()
        }
        let merged = try ValidationRun(self)
        try merged.create()
        if isOneRun { return try refusesSecond(merged, states) }
        do { for state in states { try merged.process.merge(state) } } catch let error as PluginError
            where error.code == .unsupported
        {
            throw BrokenCheck("\(error). A plugin that needs all recordings in one run declares AUSCULT_NEED_ONE_RUN")
        }
        try merged.process.activate(run)
        try merged.finish()
        results += merged.takeResults()
        try merged.close()
        return try compared(results, try self.results(of: parts), "states of \(states.map(\.count)) bytes")
    }

    /// What needs all recordings in one run takes a first state, and no second one, and says why.
    private func refusesSecond(_ merged: ValidationRun, _ states: [[UInt8]]) throws -> Outcome {
        for (index, state) in states.enumerated() {
            do { try merged.process.merge(state) } catch let error as PluginError
                where index > 0 && error.code == .unsupported
            {
                try merged.close()
                return .skipped("it needs all recordings in one run: \(error.message)")
            }
        }
        throw BrokenCheck(
            "it needs all recordings in one run (AUSCULT_NEED_ONE_RUN), and took in a second state; "
                + "AUSCULT_UNSUPPORTED was expected")
    }

    func goesOn() throws -> Outcome {
        let first = try ValidationRun(self)
        try first.begin()
        guard first.needs[0]?.hasState == true else { return Self.stateless }
        try first.hear(part: 0)
        let state = try first.process.save()
        let before = first.takeResults()
        // Saving changes nothing: the run that was saved goes on, too.
        try first.hear(part: 1)
        try first.finish()
        let whole = before + first.takeResults()
        try first.close()

        let second = try ValidationRun(self)
        try second.create()
        try second.process.merge(state)
        try second.process.activate(run)
        try second.hear(part: 1)
        try second.finish()
        let resumed = second.takeResults()
        try second.close()
        let expected = try results(of: [0, 1])
        if let difference = ResultComparison.difference(whole, expected, tolerance: Self.mergeTolerance) {
            throw BrokenCheck("after save() the same instance goes on differently: \(difference)")
        }
        return try compared(before + resumed, expected, "a state of \(state.count) bytes")
    }

    func refusesDamagedState() throws -> Outcome {
        let run = try ValidationRun(self)
        try run.begin()
        guard run.needs[0]?.hasState == true else { return Self.stateless }
        try run.hear(part: 0)
        let state = try run.process.save()
        try run.close()

        // The same noise each time: xorshift.
        var word: UInt64 = 0x9E37_79B9_7F4A_7C15
        let noise = (0..<max(64, min(state.count, 4096))).map { _ -> UInt8 in
            word ^= word << 13
            word ^= word >> 7
            word ^= word << 17
            return UInt8(truncatingIfNeeded: word)
        }
        let ones = [UInt8](repeating: 0xFF, count: max(16, state.count))
        // These cannot be a state of its; what only differs in a number can.
        var impossible: [(String, [UInt8])] = [("noise", noise), ("all ones", ones)]
        if state.count > 1 { impossible.append(("cut in the middle", Array(state.prefix(state.count / 2)))) }
        for (name, bytes) in impossible {
            do {
                try attempt(bytes, name)
                throw BrokenCheck("it took a state that was \(name)")
            } catch let error as PluginError where !error.isCrash {}
        }
        var possible: [(String, [UInt8])] = [("empty", []), ("longer by a byte", state + [0])]
        for place in stride(from: 0, to: state.count, by: max(1, state.count / 8)) {
            var flipped = state
            flipped[place] ^= 0x80
            possible.append(("changed in byte \(place)", flipped))
        }
        for (name, bytes) in possible {
            do { try attempt(bytes, name) } catch let error as PluginError where !error.isCrash {}
        }
        return .passed("\(impossible.count + possible.count) states")
    }

    private func attempt(_ state: [UInt8], _ name: String) throws {
        let run = try ValidationRun(self)
        try run.create()
        do { try run.process.merge(state) } catch let error as PluginError where error.isCrash {
            throw BrokenCheck("given a state that was \(name): \(error)", cause: error)
        }
        try run.close()
    }

    private func compared(_ a: [V1.PluginResult], _ b: [V1.PluginResult], _ detail: String) throws -> Outcome {
        if let difference = ResultComparison.difference(a, b, tolerance: Self.mergeTolerance) {
            throw BrokenCheck("within \(Self.mergeTolerance): \(difference)")
        }
        return .passed(detail)
    }
}
