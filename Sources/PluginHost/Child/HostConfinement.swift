import CConfinement
import Foundation
import Messages

/// How the plugin's process gives away what it was not granted, before any of the plugin's code is in it.
enum HostConfinement {
    /// What a plugin's process, and all that it starts, may add to the processes and threads of the user.
    private static let mostProcesses: Int32 = 256

    struct Failure: Error, CustomStringConvertible { let description: String }

    /// - Throws: ``Failure`` where the kernel has the means and refuses. Where it has none, there is nothing to do: the daemon knows it.
    static func apply(_ confinement: HostV1.Confinement) throws {
        if confinement.folder.isEmpty { unsetenv("TMPDIR") } else { setenv("TMPDIR", confinement.folder, 1) }
        // Where processes can be made, there is a bound for them.
        if confinement.unconfined || !ConfinementSupport.seccomp { _ = auscult_bound_processes(mostProcesses) }
        guard !confinement.unconfined else { return }
        // A thread that is there before would stay free, and do for the plugin what it must not.
        let threads = auscult_thread_count()
        guard threads == 1 else { throw Failure(description: "its process has \(threads) threads already") }
        if ConfinementSupport.landlock > 0 { try confineFiles(confinement) }
        if ConfinementSupport.seccomp {
            try check(auscult_confine_calls(confinement.network, confinement.strict), "its system calls")
        }
    }

    private static func confineFiles(_ confinement: HostV1.Confinement) throws {
        let paths = confinement.read.map { ($0, false) } + confinement.write.map { ($0, true) }
        let copies = paths.map { strdup($0.0) }
        defer { for copy in copies { free(copy) } }
        let grants = zip(copies, paths).map { auscult_grant(path: $0, writable: $1.1) }
        try check(auscult_confine_files(grants, Int32(grants.count), confinement.network), "its files")
    }

    private static func check(_ reason: Int32, _ what: String) throws {
        guard reason == 0 else {
            throw Failure(description: "\(what) cannot be confined: \(String(cString: strerror(reason)))")
        }
    }
}
