/// Names of elements in cairo's SVG, which count what the process has drawn so far: made the same for the same picture.
enum SVGNames {
    /// Every `id="word7"` and `#word7` with numbers in the order in which they come, from 0.
    static func numbered(_ svg: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(svg.count)
        var numbers: [ArraySlice<UInt8>: [ArraySlice<UInt8>: Int]] = [:]
        var at = 0
        while at < svg.count {
            out.append(svg[at])
            at += 1
            guard isBeforeName(out), let name = name(svg, at) else { continue }
            let next = numbers[name.word]?.count ?? 0
            let number = numbers[name.word]?[name.number] ?? next
            numbers[name.word, default: [:]][name.number] = number
            out += name.word
            out += String(number).utf8
            at = name.number.endIndex
        }
        return out
    }

    private static func isBeforeName(_ written: [UInt8]) -> Bool {
        switch written.last {
        case UInt8(ascii: "#"): true
        case UInt8(ascii: "\""): written.suffix(4).elementsEqual("id=\"".utf8)
        default: false
        }
    }

    /// Letters and then digits.
    private static func name(_ svg: [UInt8], _ at: Int) -> (word: ArraySlice<UInt8>, number: ArraySlice<UInt8>)? {
        let word = svg[at...].prefix { isLetter($0) || $0 == UInt8(ascii: "-") }
        let number = svg[word.endIndex...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return word.isEmpty || number.isEmpty ? nil : (word, number)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
