/// Recordings in which several people speak who have others by themselves: of which part of a split by speaker they
/// are.
///
/// A column names them as `a+b`. A name may have a `+` of its own (espeak-ng's `en-US+f5`), so it is several only where
/// each is the name of another recording.
package enum JointSpeakers {
    /// The people that `name` is of, where each of them is in `known`; nil for any other name.
    package static func members(of name: String, among known: Set<String>) -> [String]? {
        let members = name.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
        return members.count > 1 && members.allSatisfy { !$0.isEmpty && known.contains($0) } ? members : nil
    }

    /// The part in which all of them are; nil where they are in several: whichever such a recording were in, somebody
    /// would be in two.
    package static func part<Part: Hashable>(_ members: [String], _ part: (String) -> Part?) -> Part? {
        let parts = Set(members.map(part))
        return parts.count == 1 ? parts.first ?? nil : nil
    }
}
