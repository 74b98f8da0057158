import CConfinement

/// What this kernel has to confine plugins with.
package enum ConfinementSupport {
    /// Landlock's version; 0 where the kernel has none.
    static let landlock = Int(auscult_landlock_version())
    static let seccomp = auscult_has_seccomp()

    /// "Landlock 7, seccomp".
    package static var description: String {
        let parts = (landlock > 0 ? ["Landlock \(landlock)"] : []) + (seccomp ? ["seccomp"] : [])
        return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }

    /// What does not hold here, a sentence each.
    package static var gaps: [String] { gaps(landlock: landlock, seccomp: seccomp) }

    package static func gaps(landlock: Int, seccomp: Bool) -> [String] {
        var gaps: [String] = []
        if landlock == 0 {
            gaps.append(
                "plugins can read and write this user's files: the kernel has no Landlock, or has it switched off")
        } else if landlock < 3 {
            gaps.append(
                "plugins can cut off files that they may not write: Landlock \(landlock) does not know truncate(2)")
        }
        if !seccomp {
            gaps.append(
                "plugins can start processes, signal others, and open sockets: the kernel has no seccomp filters")
        }
        return gaps
    }
}
