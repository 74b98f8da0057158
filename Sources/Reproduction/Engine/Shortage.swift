import Foundation
import Results

/// Too few of something for a number to say anything.
package struct Shortage: Sendable, Equatable {
    private let have: Int
    private let needed: Int
    /// Whether it is recordings that are counted; other things are taken to become more as recordings do.
    private let areRecordings: Bool

    package init(of have: Int, needed: Int) { self.init(have: have, needed: needed, areRecordings: false) }

    package init(ofRecordings have: Int, needed: Int) { self.init(have: have, needed: needed, areRecordings: true) }

    private init(have: Int, needed: Int, areRecordings: Bool) {
        self.have = have
        self.needed = needed
        self.areRecordings = areRecordings
    }

    /// How many more recordings it would take; nil where that cannot be told from what there is.
    package func more(than recordings: Int) -> Int? {
        if areRecordings { return max(needed - have, 1) }
        guard have > 0, recordings > 0 else { return nil }
        let all = (Double(recordings) * Double(needed) / Double(have)).rounded(.up)
        return all < 1e9 ? max(Int(all) - recordings, 1) : nil
    }

    /// What to do about it: how many more recordings, and how long they would take.
    ///
    /// - Parameters:
    ///   - recordings: how many there are.
    ///   - seconds: what the work on them took.
    package func advice(recordings: Int, seconds: Double) -> String? {
        guard let more = more(than: recordings) else { return nil }
        let advice = "about \(more) more such \(more == 1 ? "recording" : "recordings") would do"
        guard recordings > 0, seconds > 0, seconds.isFinite else { return advice }
        return advice + ", which take some \(Self.duration(seconds / Double(recordings) * Double(more))) here"
    }

    private static func duration(_ seconds: Double) -> String {
        if seconds < 90 { return "\(Digits.short(max(seconds.rounded(.up), 1))) s" }
        if seconds < 5400 { return "\(Digits.short((seconds / 60).rounded(.up))) min" }
        return "\(Digits.short((seconds / 3600).rounded(.up))) h"
    }
}
