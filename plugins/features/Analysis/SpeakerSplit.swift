import PluginDraws

/// Which recordings name a feature, and which score the name.
///
/// Groups (speakers; a recording without one stands for itself) are gone through in the order of a hash of their names,
/// and each goes to the part that has fewer frames so far: so no speaker is in both, and each part has about half. A
/// recording of several of them is where all of them are, and in neither part where they are in both.
struct SpeakerSplit {
    enum Part: UInt8, Sendable {
        case name, score
        var title: String { self == .name ? "name" : "score" }
    }

    let parts: [UInt64: Part]
    /// Why it is not by speaker; empty where it is.
    let reason: String

    /// - Parameter speakers: whether no speaker may be in both; otherwise recordings are divided.
    init(_ recordings: Recordings, speakerColumns: [String], bySpeaker: Bool, seed: UInt64) {
        var groups: [String: (frames: UInt64, members: [UInt64])] = [:]
        let known = Set(
            recordings.all.values.map { $0.speaker(speakerColumns) }.filter { !$0.isEmpty })
        if !bySpeaker {
            reason = "it is asked for by recording"
        } else if known.isEmpty {
            reason = "no recording names its speaker"
        } else if known.count < 2 {
            reason = "there is one speaker alone"
        } else {
            reason = ""
        }
        var joint: [(number: UInt64, members: [String])] = []
        for number in recordings.numbers {
            guard let recording = recordings[number] else { continue }
            let speaker = reason.isEmpty ? recording.speaker(speakerColumns) : ""
            if let members = JointSpeakers.members(of: speaker, among: known) {
                joint.append((number, members))
                continue
            }
            let group = speaker.isEmpty ? "recording \(number)" : "speaker \(speaker)"
            groups[group, default: (0, [])].frames += recording.frames
            groups[group, default: (0, [])].members.append(number)
        }
        let order = groups.keys.map { (Hashing.key(seed: seed, purpose: "features split", $0), $0) }.sorted { $0 < $1 }
        var frames: (name: UInt64, score: UInt64) = (0, 0)
        var parts: [UInt64: Part] = [:]
        var partOfGroup: [String: Part] = [:]
        for (_, group) in order {
            guard let (count, members) = groups[group] else { continue }
            let part: Part = frames.name <= frames.score ? .name : .score
            partOfGroup[group] = part
            for member in members { parts[member] = part }
            if part == .name { frames.name += count } else { frames.score += count }
        }
        for (number, members) in joint {
            parts[number] = JointSpeakers.part(members) { partOfGroup["speaker \($0)"] }
        }
        self.parts = parts
    }
}
