import Foundation
import Logging

/// How many files the process may have open, against what it may come to need.
enum DescriptorLimit {
    /// What the daemon has open by itself: loops, sockets, models' files, a plugin's ends.
    static let own = 64

    /// What `connections` may need at the same time: each itself, and a file that it uploads or is written to.
    static func needed(connections: Int) -> Int { own + 2 * connections }

    /// Raises the soft limit as far as it is needed and may be.
    /// - Returns: what is to be told where it stays below; nil where it does not.
    static func raise(connections: Int) -> String? {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return nil }
        let needed = rlim_t(needed(connections: connections))
        if limit.rlim_cur < needed, limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = min(needed, limit.rlim_max)
            setrlimit(resource, &limit)
        }
        guard limit.rlim_cur < needed else { return nil }
        return
            "at most \(limit.rlim_cur) files may be open (ulimit -n), and \(connections) connections may need \(needed): some will have "
            + "to wait; max_connections can be set lower"
    }
}
