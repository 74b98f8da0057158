import PluginDraws

/// Which rows train, validate and test.
///
/// Groups (speakers) are the unit: no group is in two parts. Groups are ordered by a hash of the seed and their name, and
/// of each stratum (groups with the same most frequent class) about 60 % train, 20 % validate and 20 % test, at least one
/// each. Hashing alone, without the quota, leaves classes of three speakers without a test in most seeds. A recording of
/// several speakers is where all of them are, and in no part where they are in several.
struct Split: Sendable {
    let train: [Int]
    let validation: [Int]
    let test: [Int]

    enum Unit: String, Sendable { case speaker, recording }
    let unit: Unit
    /// Why it is not by speaker; empty where it is.
    let reason: String

    /// - Parameters:
    ///   - labels: the class of each row.
    ///   - speakers: of each row; "" where none is known: then the recording stands for one.
    ///   - byClass: whether groups are stratified: where a recording has one class. Frames of one recording have many.
    init(labels: [String], speakers: [String], recordings: [UInt64], byClass: Bool, seed: UInt64) {
        let perRecording = recordings.map { "recording \($0)" }
        let perSpeaker = zip(speakers, perRecording).map { $0.isEmpty ? $1 : "speaker \($0)" }
        let problem = Self.problem(labels: labels, speakers: speakers, groups: perSpeaker, byClass: byClass)
        let groups = problem.isEmpty ? perSpeaker : perRecording
        let known = Set(speakers)
        let joint = speakers.map { problem.isEmpty ? JointSpeakers.members(of: $0, among: known) : nil }
        let single = joint.indices.filter { joint[$0] == nil }
        let parts = Self.parts(
            labels: single.map { labels[$0] }, groups: single.map { groups[$0] }, byClass: byClass, seed: seed)
        var rows: [[Int]] = [[], [], []]
        for (row, group) in groups.enumerated() {
            let part = joint[row].map { JointSpeakers.part($0) { parts["speaker \($0)"] } } ?? parts[group]
            if let part { rows[part].append(row) }
        }
        (self.train, self.validation, self.test) = (rows[0], rows[1], rows[2])
        self.unit = problem.isEmpty ? .speaker : .recording
        self.reason = problem
    }

    /// Why speakers cannot be kept apart.
    private static func problem(labels: [String], speakers: [String], groups: [String], byClass: Bool) -> String {
        guard speakers.contains(where: { !$0.isEmpty }) else { return "no recording names its speaker" }
        guard Set(groups).count >= 3 else {
            return "there are \(Set(groups).count) speakers, and three parts need at least three"
        }
        guard byClass else { return "" }
        var groupsOfClass: [String: Set<String>] = [:]
        for (label, group) in zip(labels, groups) { groupsOfClass[label, default: []].insert(group) }
        let few = groupsOfClass.filter { $0.value.count < 3 }.keys.sorted()
        guard let first = few.first else { return "" }
        return "'\(first)' has \(groupsOfClass[first]?.count ?? 0) of the speakers, and three parts need three"
    }

    /// 0, 1 or 2 for each group.
    private static func parts(labels: [String], groups: [String], byClass: Bool, seed: UInt64) -> [String: Int] {
        var counts: [String: [String: Int]] = [:]
        for (label, group) in zip(labels, groups) { counts[group, default: [:]][label, default: 0] += 1 }
        var strata: [String: [String]] = [:]
        for (group, classes) in counts {
            let common = classes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? ""
            strata[byClass ? common : "", default: []].append(group)
        }
        var parts: [String: Int] = [:]
        for members in strata.values {
            let keyed = members.map { (Hashing.key(seed: seed, purpose: "split", $0), $0) }.sorted { $0 < $1 }
            let share = members.count < 3 ? 0 : max(1, Int((Double(members.count) * 0.2).rounded()))
            for (place, group) in keyed.enumerated() {
                parts[group.1] = place < share ? 2 : place < 2 * share ? 1 : 0
            }
        }
        return parts
    }
}
