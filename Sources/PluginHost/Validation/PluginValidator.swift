import Messages

/// Sounds that a plugin must survive.
public enum PluginSound: Hashable, Sendable {
    case silence
    case oneSample
    /// White noise at full scale, seconds long.
    case noise
    /// Something like a voice; `number` makes different recordings.
    case voice(number: Int)
}

/// The clips of one recording of such a sound, with what the needs ask for.
public typealias ClipSource = @Sendable (_ sound: PluginSound, _ needs: PluginNeedsValue) throws -> [PluginClipValue]

/// Tries a bundle out: one process for each check.
public struct PluginValidator: Sendable {
    public let bundle: PluginBundle
    public let run: PluginRunValue
    public let services: any PluginServices
    public let limits: PluginLimits
    public let clips: ClipSource

    public init(
        _ bundle: PluginBundle, run: PluginRunValue, services: any PluginServices,
        limits: PluginLimits = PluginLimits(), clips: @escaping ClipSource
    ) {
        self.bundle = bundle
        self.run = run
        self.services = services
        self.limits = limits
        self.clips = clips
    }

    /// Runs all checks, and hands over each outcome as it comes.
    /// - Throws: only what `event` throws.
    public func validate(_ event: (V1.ValidationCheck) throws -> Void) throws -> V1.ValidationEnd { V1.ValidationEnd() }
}
