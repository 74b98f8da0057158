/// An analysis: it is given recordings with the activations of a speech model, and gives typed results.
///
/// A type that conforms is all there is to a plugin; a library names its types in one function:
///
///     @_cdecl("auscult_plugin_types")
///     public func pluginTypes() { PluginLibrary.register(Loudness.self) }
///
/// One thread calls an instance, one call at a time. An error that is thrown becomes the status and the sentence that
/// the host reports; the run ends.
public protocol AnalysisPlugin: SendableMetatype {
    /// What it is, needs, takes and gives. Asked once.
    static var descriptor: PluginDescriptor { get }

    /// A new instance. Arguments that were not given have their defaults; kinds and ranges have been checked.
    init(arguments: Arguments, host: Host) throws

    /// What must be there for ``process(_:_:)``, where that depends on the arguments. The descriptor's by default.
    var needs: Needs { get }

    /// The model is known now.
    mutating func activate(_ run: Run) throws

    /// Hears one window of one recording. What `clip` shows is valid until this returns.
    mutating func process(_ clip: Clip, _ results: Results) throws

    /// Gives the results about all recordings.
    mutating func finish(_ results: Results) throws
}

extension AnalysisPlugin {
    public var needs: Needs { Self.descriptor.needs }
    public mutating func activate(_ run: Run) throws {}
    public mutating func process(_ clip: Clip, _ results: Results) throws {}
    public mutating func finish(_ results: Results) throws {}
}

/// An analysis whose state can be saved and put together with others': so a run survives a crash, and is split over
/// processes and machines.
public protocol MonoidPlugin: AnalysisPlugin {
    /// All that this instance has heard since it was made. It goes on as before.
    func save() throws -> [UInt8]

    /// Takes in what another instance with the same arguments has saved, as if its recordings had been heard after this
    /// one's. The bytes may be damaged: what is wrong with them is thrown. An analysis with ``Needs/oneRun`` throws
    /// `unsupported` where this instance has heard something.
    mutating func merge(_ bytes: [UInt8]) throws
}

/// A ``MonoidPlugin`` whose state is a value: it is written and read by ``StateEncoder`` and ``StateDecoder``, under
/// which every number comes back to the bit.
public protocol StatefulPlugin: MonoidPlugin {
    associatedtype State: Codable

    /// All that was heard since the instance was made.
    var state: State { get }

    /// As ``MonoidPlugin/merge(_:)``. The values may be damaged: counts and sizes have to be checked.
    mutating func merge(state: State) throws
}

extension StatefulPlugin {
    public func save() throws -> [UInt8] { try StateEncoder.encode(state) }
    public mutating func merge(_ bytes: [UInt8]) throws {
        try merge(state: StateDecoder.decode(State.self, from: bytes))
    }
}
