extension StringProtocol {
    /// A phoneme without its stress: without ARPAbet's digit (`AY1`), and without IPA's marks (`ˈaɪ`). Some aligners and dictionaries write
    /// it and others do not, and where both are at hand it is the same sound.
    public var withoutStress: String {
        var phoneme = String(filter { !"ˈˌ".contains($0) })
        let isNumbered =
            phoneme.utf8.count == 3 && phoneme.last.map("012".contains) == true
            && phoneme.utf8.dropLast().allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
        if isNumbered { phoneme.removeLast() }
        return phoneme
    }
}
