import PluginKit

/// A scan as bytes: the same for the same recordings, whatever the order they came in, and however they were divided.
enum ScanFile {
    static let format = "auscult-features/1"

    // MARK: - Writing

    static func bytes(of scan: Scan) -> [UInt8] {
        for hook in scan.hooks { hook.sample.shrink() }
        var writer = StateWriter(capacity: scan.hooks.reduce(1 << 20) { $0 + mostBytes($1) })
        writer.write(format)
        writer.write(scan.description)
        writer.write(scan.seed == nil ? 0 : 1)
        writer.writeFixed(scan.seed ?? 0)
        let order = write(scan.recordings, &writer)
        writer.write(scan.columns.count)
        for (column, values) in scan.columns.sorted(by: { $0.key < $1.key }) {
            writer.write(column)
            writer.write(values.count)
            for value in values.sorted() { writer.write(value) }
        }
        writer.write(scan.droppedColumns.count)
        for column in scan.droppedColumns.sorted() { writer.write(column) }
        writer.write(scan.hooks.count)
        for hook in scan.hooks { write(hook, sounds: order, &writer) }
        return writer.bytes
    }

    /// Sounds are written in the order of their names: numbers depend on which came first.
    /// - Returns: the numbers of the sounds in that order.
    private static func write(_ recordings: Recordings, _ writer: inout StateWriter) -> [Int] {
        let sounds = recordings.sounds.names.indices.sorted {
            recordings.sounds.names[$0] < recordings.sounds.names[$1]
        }
        writer.write(sounds.count)
        for sound in sounds { writer.write(recordings.sounds.names[sound]) }
        let labels = recordings.labels.names.indices.sorted {
            recordings.labels.names[$0] < recordings.labels.names[$1]
        }
        var place = [Int](repeating: 0, count: labels.count)
        for (index, label) in labels.enumerated() { place[label] = index }
        writer.write(labels.count)
        for label in labels { writer.write(recordings.labels.names[label]) }
        writer.write(recordings.all.count)
        for number in recordings.numbers {
            guard let recording = recordings[number] else { continue }
            writer.write(number)
            writer.write(recording.name)
            writer.write(recording.origin)
            writer.write(recording.seconds)
            writer.write(recording.frames)
            writer.write(recording.columns.count)
            for (column, value) in recording.columns.sorted(by: { $0.key < $1.key }) {
                writer.write(column)
                writer.write(value)
            }
            for list in [recording.phonemes, recording.words] {
                writer.write(list.count)
                for sound in list {
                    writer.write(sound.start)
                    writer.write(sound.end)
                    writer.write(place[Int(sound.label)])
                }
            }
            writer.write(recording.tokens.count)
            for (window, tokens) in recording.tokens.sorted(by: { $0.key < $1.key }) {
                writer.write(window)
                writer.write(tokens.count)
                for token in tokens { writer.writeFixed(token) }
            }
        }
        return sounds
    }

    private static func write(_ hook: HookScan, sounds: [Int], _ writer: inout StateWriter) {
        writer.write(hook.hook)
        writer.write(hook.features)
        writer.write(hook.names.count)
        for name in hook.names { writer.write(name) }
        writer.write(hook.rate)
        writer.write(hook.refused)
        write(hook.all, &writer)
        writer.write(hook.smallest.numbers)
        writer.write(hook.groups.count)
        for (group, sums) in hook.groups.sorted(by: { $0.key < $1.key }) {
            writer.write(group.column)
            writer.write(group.value)
            write(sums, &writer)
        }
        for side in hook.sides { write(side, sounds: sounds, &writer) }
        var place = [Int32](repeating: 0, count: sounds.count)
        for (index, sound) in sounds.enumerated() { place[sound] = Int32(index) }
        writer.write(hook.sample.count)
        for row in 0..<hook.sample.count {
            writer.writeFixed(hook.sample.keys[row])
            let sound = hook.sample.sounds[row]
            writer.writeFixed(sound < 0 ? sound : place[Int(sound)])
            writer.write(hook.sample.row(row))
        }
    }

    private static func write(_ sums: GroupSums, _ writer: inout StateWriter) {
        writer.write(sums.frames)
        for exact in [sums.sums, sums.squares] {
            writer.write(exact.high.numbers)
            writer.write(exact.low.numbers)
        }
        writer.write(sums.largest.numbers)
        writer.write(sums.active.numbers)
    }

    private static func write(_ side: SideScan, sounds: [Int], _ writer: inout StateWriter) {
        writer.write(side.exponents.numbers)
        for feature in 0..<side.features {
            writer.write(side.top.count(feature))
            for rank in 0..<side.top.count(feature) {
                let entry = side.top.entry(feature, rank)
                writer.write(entry.value)
                writer.write(entry.recording)
                writer.write(UInt64(entry.frame))
                writer.write(entry.before)
                writer.write(entry.curve.count)
                for value in entry.curve { writer.writeFixed(value) }
            }
            for cells in [side.width, side.octave] { write(cells, feature, &writer) }
            for cell in 0..<WidthGrid.cells where side.width.counts[feature * WidthGrid.cells + cell] > 0 {
                let start = (feature * WidthGrid.cells + cell) * side.soundStride
                // Sounds that were heard after the last room was made have no counts.
                for sound in sounds {
                    writer.write(UInt64(sound < side.soundStride ? side.sounds[start + sound] : 0))
                }
            }
        }
    }

    private static func write(_ cells: Cells, _ feature: Int, _ writer: inout StateWriter) {
        for cell in 0..<cells.cells {
            writer.write(UInt64(cells.counts[feature * cells.cells + cell]))
            for moment in cells.moments(feature, cell) {
                writer.writeFixed(moment.key)
                writer.write(moment.value)
            }
        }
    }

    private static func mostBytes(_ hook: HookScan) -> Int {
        let sums = (hook.groups.count + 1) * hook.features * 48
        let sides = hook.sides.reduce(0) { total, side in
            let moments = (side.width.keys.count + side.octave.keys.count) * 12
            let counts = (side.width.counts.count + side.octave.counts.count + side.sounds.count) * 5
            return total + moments + counts + side.top.values.count * (2 * TopLists.span + 32) + side.features * 8
        }
        return sums + sides + hook.sample.count * (2 * hook.features + 12) + hook.features * 8
    }
}
