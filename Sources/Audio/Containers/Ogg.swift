/// Ogg: pages, each of which says how long it is. A stream begins with a page that is marked so, and ends with another.
enum Ogg {
    /// What a page's header says.
    private struct Page {
        let end: Int
        let begins: Bool
        let ends: Bool

        init?(_ bytes: RecordingBytes, at offset: Int) {
            guard let header = bytes.array(at: offset, count: 27), header[..<4].tag == "OggS", header[4] == 0,
                let sizes = bytes.bytes(at: offset + 27, count: Int(header[26]))
            else { return nil }
            end = offset + 27 + sizes.count + sizes.reduce(0) { $0 + Int($1) }
            begins = header[5] & 2 != 0
            ends = header[5] & 4 != 0
        }
    }

    static func walk(
        _ bytes: RecordingBytes, _ start: Int, _ name: String, _ plan: inout SoundPlan
    ) throws -> Int {
        var pieces: [Range<Int>] = []
        var offset = start
        var (isInside, isEnded, rubbish) = (false, false, 0)
        while offset < bytes.size {
            guard let page = Page(bytes, at: offset) else {
                // Not a page: what lies up to the next is rubbish, and what is behind the last is.
                let next = bytes.firstPlace(of: Array("OggS".utf8), in: offset + 1..<bytes.size) ?? bytes.size
                rubbish += next - offset
                offset = next
                continue
            }
            if page.begins, isInside { break }
            isInside = isInside || !page.begins
            isEnded = page.ends
            let range = offset..<min(page.end, bytes.size)
            if let last = pieces.last, last.upperBound == range.lowerBound {
                pieces[pieces.count - 1] = last.lowerBound..<range.upperBound
            } else {
                pieces.append(range)
            }
            if page.end > bytes.size { isEnded = false }
            offset = range.upperBound
        }
        if rubbish > 0 { plan.add(.passedOver, "\(rubbish) bytes between its pages are no Ogg; passed over") }
        if !isEnded {
            let which = plan.streams.isEmpty ? "its stream" : "its stream \(plan.streams.count + 1)"
            plan.add(.cutShort, "is cut short: the page that ends \(which) is not there")
        }
        var stream = SoundStream(pieces.map { .range($0) })
        stream.blockFrames = 5760  // The longest packet of Opus, at 48 kHz.
        plan.streams.append(stream)
        return offset
    }
}
