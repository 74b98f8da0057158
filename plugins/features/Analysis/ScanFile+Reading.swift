import PluginKit

extension ScanFile {
    /// - Throws: ``PluginKit/PluginError`` (`invalidArgument`) for a state of another run, or bytes that are damaged.
    static func scan(from bytes: [UInt8], settings: Settings, description: String) throws -> Scan {
        try bytes.withUnsafeBytes { raw in
            var reader = StateReader(raw)
            guard try reader.text() == format else { throw reader.damaged("it does not begin with \(format)") }
            let theirs = try reader.text()
            guard theirs == description else {
                throw PluginError(.invalidArgument, "the state is of \"\(theirs)\", and this run of \"\(description)\"")
            }
            let scan = Scan(settings: settings, description: description)
            let hasSeed = try reader.count("seeds", most: 1) == 1
            let seed: UInt64 = try reader.fixed()
            let recordings = try self.recordings(&reader)
            var columns: [String: Set<String>] = [:]
            for _ in 0..<(try reader.count("columns", most: reader.left)) {
                let column = try reader.text()
                let count = try reader.count("values", most: settings.columnValues)
                columns[column] = Set(try (0..<count).map { _ in try reader.text() })
            }
            let dropped = Set(try (0..<(try reader.count("columns", most: reader.left))).map { _ in try reader.text() })
            scan.restore(seed: hasSeed ? seed : nil, recordings: recordings, columns: columns, dropped: dropped)
            for _ in 0..<(try reader.count("hook points", most: 4096)) { try hook(&reader, scan) }
            guard reader.left == 0 else { throw reader.damaged("\(reader.left) bytes are left over") }
            return scan
        }
    }

    private static func recordings(_ reader: inout StateReader) throws -> Recordings {
        func vocabulary(_ what: String, most: Int) throws -> Vocabulary {
            let count = try reader.count(what, most: most)
            let names = try (0..<count).map { _ in try reader.text() }
            guard Set(names).count == names.count else { throw reader.damaged("\(what) are there twice") }
            return Vocabulary(names)
        }
        let sounds = try vocabulary("sounds", most: Recordings.mostSounds)
        let labels = try vocabulary("labels", most: reader.left)
        var all: [UInt64: Recordings.Recording] = [:]
        for _ in 0..<(try reader.count("recordings", most: reader.left)) {
            let number = try reader.unsigned()
            guard number < FrameMoment.recordings, all[number] == nil else {
                throw reader.damaged("recording \(number)")
            }
            all[number] = try recording(&reader, labels: labels.names.count)
        }
        return Recordings(all, labels: labels, sounds: sounds)
    }

    private static func recording(_ reader: inout StateReader, labels: Int) throws -> Recordings.Recording {
        func list() throws -> [Recordings.Sound] {
            try (0..<(try reader.count("sounds", most: reader.left))).map { _ in
                let (start, end) = (try reader.double(), try reader.double())
                let label = try reader.count("for a label", most: labels - 1)
                return Recordings.Sound(start: start, end: end, label: Int32(label))
            }
        }
        let name = try reader.text()
        let (origin, seconds) = (try reader.double(), try reader.double())
        guard origin.isFinite, seconds.isFinite else { throw reader.damaged("times of \(name) are not finite") }
        let frames = try reader.unsigned()
        guard frames <= FrameMoment.frames else { throw reader.damaged("\(name) has \(frames) frames") }
        var columns: [String: String] = [:]
        for _ in 0..<(try reader.count("columns", most: reader.left)) { columns[try reader.text()] = try reader.text() }
        let (phonemes, words) = (try list(), try list())
        var tokens: [Int: [Int32]] = [:]
        for _ in 0..<(try reader.count("windows", most: reader.left)) {
            let window = try reader.count("for a window", most: 1 << 32)
            tokens[window] = try (0..<(try reader.count("tokens", most: reader.left))).map { _ in try reader.fixed() }
        }
        return Recordings.Recording(
            name: name, origin: origin, seconds: seconds, frames: frames, columns: columns, phonemes: phonemes,
            words: words, tokens: tokens)
    }

    private static func hook(_ reader: inout StateReader, _ scan: Scan) throws {
        let name = try reader.text()
        // A feature takes more bytes than this of the state, so a damaged number asks for no memory that is not there.
        let features = try reader.count("features", most: reader.left / 100)
        let names = try (0..<(try reader.count("names", most: features))).map { _ in try reader.text() }
        let rate = try reader.double()
        guard features > 0, names.isEmpty || names.count == features, rate.isFinite, rate >= 0 else {
            throw reader.damaged("\(name) has \(features) features with \(names.count) names")
        }
        guard !scan.hooks.contains(where: { $0.hook == name }) else { throw reader.damaged("\(name) is there twice") }
        let hook = try scan.hook(name, features: features, names: names, rate: rate)
        hook.restore(refused: try reader.unsigned())
        try sums(&reader, hook.all)
        try reader.fill(hook.smallest.numbers)
        for _ in 0..<(try reader.count("groups", most: reader.left / features)) {
            let group = HookScan.Group(column: try reader.text(), value: try reader.text())
            guard scan.columns[group.column]?.contains(group.value) == true else {
                throw reader.damaged("\(name) has sums of \(group.column) '\(group.value)', which nothing was heard of")
            }
            try sums(&reader, hook.restore(group: group))
        }
        for feature in 0..<features {
            let (low, high) = (hook.smallest[feature], hook.all.largest[feature])
            guard hook.all.frames == 0 || (low.isFinite && high.isFinite && low <= high) else {
                throw reader.damaged("feature \(feature) of \(name) is from \(low) to \(high)")
            }
        }
        let sounds = scan.recordings.sounds.names.count
        for side in hook.sides {
            side.makeRoom(sounds: sounds)
            try self.side(&reader, side, scan, sounds: sounds)
        }
        for _ in 0..<(try reader.count("frames of the sample", most: reader.left / (2 * features))) {
            let key: UInt64 = try reader.fixed()
            let sound: Int32 = try reader.fixed()
            guard scan.recordings[FrameMoment(key: key, salt: scan.salt).recording] != nil, sound >= -1, sound < sounds
            else {
                throw reader.damaged("a frame of the sample is of no recording, or of the sound \(sound)")
            }
            guard hook.sample.keys.last.map({ $0 < key }) ?? true else {
                throw reader.damaged("the sample is not in order")
            }
            let row = hook.sample.row(hook.sample.append(key, sound: sound))
            try reader.fill(row)
            guard row.allSatisfy({ $0 & 0x7c00 != 0x7c00 }) else {
                throw reader.damaged("a sampled value is not finite")
            }
        }
    }

    private static func sums(_ reader: inout StateReader, _ sums: GroupSums) throws {
        try sums.addFrames(reader.unsigned())
        for exact in [sums.sums, sums.squares] {
            try reader.fill(exact.high.numbers)
            try reader.fill(exact.low.numbers)
        }
        try reader.fill(sums.largest.numbers)
        try reader.fill(sums.active.numbers)
        guard sums.active.numbers.allSatisfy({ UInt64($0) <= sums.frames }) else {
            throw reader.damaged("more frames are above zero than there are")
        }
    }

    private static func side(_ reader: inout StateReader, _ side: SideScan, _ scan: Scan, sounds: Int) throws {
        try reader.fill(side.exponents.numbers)
        guard side.exponents.numbers.allSatisfy({ Int($0) >= WidthGrid.leastExponent && Int($0) <= 128 }) else {
            throw reader.damaged("an exponent is out of range")
        }
        for feature in 0..<side.features {
            for rank in 0..<(try reader.count("examples", most: side.top.length)) {
                let entry = try self.entry(&reader, side, scan)
                side.top.offer(entry, to: feature)
                guard side.top.count(feature) == rank + 1 else { throw reader.damaged("a recording is there twice") }
            }
            for cells in [side.width, side.octave] { try self.cells(&reader, cells, feature, scan) }
            for cell in 0..<WidthGrid.cells {
                let count = UInt64(side.width.counts[feature * WidthGrid.cells + cell])
                guard count > 0 else { continue }
                let start = (feature * WidthGrid.cells + cell) * side.soundStride
                var total: UInt64 = 0
                for sound in 0..<sounds {
                    let heard = try reader.unsigned()
                    guard heard <= count - total else { throw reader.damaged("a cell has more sounds than frames") }
                    total += heard
                    side.sounds[start + sound] = UInt32(heard)
                }
            }
        }
    }

    private static func entry(_ reader: inout StateReader, _ side: SideScan, _ scan: Scan) throws -> TopLists.Entry {
        let value = try reader.float()
        let (recording, frame) = (try reader.unsigned(), try reader.unsigned())
        guard value.isFinite, scan.recordings[recording] != nil, frame < FrameMoment.frames else {
            throw reader.damaged("an example is \(value) in frame \(frame) of recording \(recording)")
        }
        let before = try reader.count("values before an example", most: TopLists.reach)
        let size = try reader.count("values of a curve", most: side.top.hasCurves ? TopLists.span : 0)
        guard before < max(size, 1) else { throw reader.damaged("a curve of \(size) values with \(before) before") }
        let curve = try (0..<size).map { _ -> UInt16 in try reader.fixed() }
        return TopLists.Entry(value: value, recording: recording, frame: UInt32(frame), before: before, curve: curve)
    }

    private static func cells(_ reader: inout StateReader, _ cells: Cells, _ feature: Int, _ scan: Scan) throws {
        for cell in 0..<cells.cells {
            let place = feature * cells.cells + cell
            let count = try reader.count("frames in a cell", most: Int(UInt32.max))
            cells.counts[place] = UInt32(count)
            for index in 0..<min(count, cells.depth) {
                let key: UInt64 = try reader.fixed()
                let value = try reader.float()
                let known = scan.recordings[FrameMoment(key: key, salt: scan.salt).recording] != nil
                let isAscending = index == 0 || cells.keys[place * cells.depth + index - 1] < key
                guard known, isAscending, key != FrameMoment.none, value.isFinite, value > 0 else {
                    throw reader.damaged("a sampled moment of a cell is \(value), or of no recording")
                }
                cells.keys[place * cells.depth + index] = key
                cells.values[place * cells.depth + index] = value
            }
            cells.noteKeys(cell, of: feature)
        }
    }
}
