import Foundation

/// How long a command waits for a daemon that is starting: for as long as its process gets on, however slowly the machine
/// lets it, and not without end.
package struct StartPatience: Sendable {
    private let standstill: Duration
    private let longest: Duration
    private let began = ContinuousClock.now
    private var progressed = ContinuousClock.now
    private var seen: (process: pid_t, activity: ProcessActivity)?

    /// - Parameters:
    ///   - standstill: how long nothing may happen.
    ///   - longest: how long a daemon may take that does something all the while.
    package init(standstill: Duration = .seconds(20), longest: Duration = .seconds(300)) {
        self.standstill = standstill
        self.longest = longest
    }

    /// Looks at the process that is waited for.
    /// - Returns: for an error's message, why it is not waited for any longer; nil as long as it is.
    mutating func end(_ process: pid_t?) -> String? {
        let now = ContinuousClock.now
        if let process, let activity = ProcessActivity(process) {
            let before = seen?.process == process ? seen?.activity : nil
            if activity.isWorking || before.map({ $0.processorTime < activity.processorTime }) == true {
                progressed = now
            }
            seen = (process, activity)
        }
        if now - began > longest { return "worked for more than \(longest)" }
        return now - progressed > standstill ? "stood still for \(standstill)" : nil
    }
}

/// What a process does, by proc(5).
struct ProcessActivity: Equatable {
    /// In clock ticks, of all its threads.
    let processorTime: UInt64
    /// Whether a thread runs, or waits for a processor or for a disk.
    let isWorking: Bool

    /// Nil for a process that is not there, or has ended.
    init?(_ process: pid_t) {
        guard let whole = Self.fields("/proc/\(process)/stat"), whole[0] != "Z", whole.count > 12,
            let user = UInt64(whole[11]), let system = UInt64(whole[12])
        else { return nil }
        processorTime = user + system
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        isWorking = threads.contains { thread in
            ["R", "D"].contains(Self.fields("/proc/\(process)/task/\(thread)/stat")?.first)
        }
    }

    /// From the state on: the program's name before it may hold anything.
    private static func fields(_ path: String) -> [Substring]? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[end...].dropFirst().split(separator: " ")
        return fields.isEmpty ? nil : fields
    }
}
