/// How much a plugin's process may take.
public struct PluginLimits: Hashable, Sendable {
    /// Address space, in bytes (RLIMIT_AS): the program, its libraries and mapped tensors count.
    public var memoryBytes = 8 << 30
    /// Seconds of processor time in the process' whole life (RLIMIT_CPU).
    public var cpuSeconds = 7 * 24 * 3600
    /// Open files.
    public var openFiles = 256
    /// Seconds that one call may take: create(), activate(), process(), finish(), save() and merge() each. Time in the
    /// engine, when the plugin asks something of it, does not count; and a report of progress that is further than those
    /// before it begins the time anew.
    public var processTimeout = 120.0
    /// Seconds from the start to the description.
    public var startTimeout = 60.0
    /// Seconds that destroy() and deinit() may take each, before the process is killed.
    public var closeTimeout = 5.0
    /// Seconds between a cancellation and the end of the process, when the plugin does not end the call itself.
    public var cancelGrace = 2.0
    /// Results of one process.
    public var results = 1_000_000
    /// Bytes of one result.
    public var resultBytes = 64 << 20
    /// Bytes of all results of one process, which lie on disk where they are kept.
    public var allResultBytes = 64 << 30
    /// Bytes of a saved state.
    public var stateBytes = 1 << 30
    /// Lines of a plugin's log, stdout and stderr that are kept.
    public var logLines = 10_000

    public init() {}
}
