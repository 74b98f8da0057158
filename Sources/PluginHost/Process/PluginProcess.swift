import Messages

/// A plugin in a process of its own.
///
/// All calls block, and come one at a time from any thread; ``cancel()`` alone may come at any time. After an error
/// whose ``PluginError/isCrash`` is true, and after ``close()``, every call throws.
public final class PluginProcess: Sendable {
    public let bundle: PluginBundle

    init(_ bundle: PluginBundle) { self.bundle = bundle }

    /// Starts the process and loads the library.
    /// - Parameters:
    ///   - quarantine: refuses a plugin that crashed too often, and learns of crashes and of runs that finished.
    ///   - log: what the plugin says, by its log or its stdout and stderr. On the thread of the call under way.
    ///   - progress: on the thread of the call under way.
    ///   - result: each result, checked against its declaration. What it throws ends the process, and the call.
    public static func start(
        _ bundle: PluginBundle, limits: PluginLimits = PluginLimits(), services: any PluginServices,
        quarantine: PluginQuarantine? = nil, log: @escaping @Sendable (V1.PluginLog) -> Void = { _ in },
        progress: @escaping @Sendable (V1.Progress) -> Void = { _ in },
        result: @escaping @Sendable (V1.PluginResult) throws -> Void
    ) throws -> PluginProcess { throw PluginError(.system, "not yet") }

    /// The description, checked, which ``start(_:limits:services:quarantine:log:progress:result:)`` has read.
    public func describe() throws -> V1.PluginDescription { throw PluginError(.system, "not yet") }
    /// Makes the instance. Kinds and ranges of the arguments are checked here first.
    /// - Returns: the needs after the arguments.
    public func create(arguments: [V1.PluginArgument]) throws -> PluginNeedsValue {
        throw PluginError(.system, "not yet")
    }
    public func activate(_ run: PluginRunValue) throws {}
    public func process(_ clip: PluginClipValue) throws {}
    public func finish() throws {}
    /// - Throws: ``PluginError`` (`unsupported`) where the plugin has no state.
    public func save() throws -> [UInt8] { [] }
    public func merge(_ state: [UInt8]) throws {}
    /// Asks the plugin to end the call under way, and kills it where it has not after the limits' grace.
    public func cancel() {}
    /// Destroys the instance and ends the process; kills it where it does not end itself. Never throws, never leaves a
    /// process behind.
    public func close() {}
}
