/// A pass of the model that a plugin asks for: C's `auscult_pass`.
public struct PluginPass: Sendable {
    public enum Sound: Sendable {
        case padding
        /// 16 kHz mono, at most one window.
        case samples([Float])
        /// `shape` is `[n_mels, mel frames]`, which has been checked to be of two axes and as many elements, row-major.
        /// - Parameter valid: frames that are sound; 0 for all.
        case logMel(shape: [Int], elements: [Float], valid: Int)
    }

    public var sound: Sound
    /// What the decoder reads; nil for what follows from the objectives, or what the model writes.
    public var tokens: [Int32]?
    public var interventions: [String]
    public var objectives: [String]
    /// Globs, and "log_mel".
    public var hooks: [String]

    public init(
        sound: Sound, tokens: [Int32]? = nil, interventions: [String] = [], objectives: [String] = [],
        hooks: [String] = []
    ) {
        (self.sound, self.tokens) = (sound, tokens)
        (self.interventions, self.objectives, self.hooks) = (interventions, objectives, hooks)
    }
}

/// What it gave.
public struct PluginPassAnswer: Sendable {
    /// In the order that auscult_plugin.h says.
    public var tensors: [PluginTensor]
    /// What the objectives came to.
    public var values: [Double]

    public init(tensors: [PluginTensor], values: [Double]) { (self.tensors, self.values) = (tensors, values) }
}
