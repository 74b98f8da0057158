import Kernels

/// How the positions (frames, tokens) of a captured activation are reduced while it is captured.
public enum Reduction: String, Sendable, CaseIterable { case none, max, mean }

/// What a run is to capture and to change, known before it starts.
public struct HookPlan: Sendable {
    public var captures: Set<HookPoint>
    public var reduction: Reduction
    /// Encoder frames to keep, the first so many: those that overlap audio. Nil keeps all.
    /// Rows of attention are cut (queries); the keys that they attend to are not.
    public var validFrames: Int?
    public var interventions: [Intervention]
    /// Whether the means that interventions put in are taken over all frames, those past `validFrames` too.
    public var meansOverPadding: Bool
    /// Whether a run stops as soon as the last capture is made. Where it does not, it gives its result as well.
    public var stopsEarly: Bool
    /// Whether a pass in which nothing is captured or changed may give the output that the model kept of the same sound, and keeps its own
    /// (``WhisperModel/keptBytes``).
    public var reusesOutput: Bool

    public init(
        captures: Set<HookPoint> = [], reduction: Reduction = .none, validFrames: Int? = nil,
        interventions: [Intervention] = [], meansOverPadding: Bool = false, stopsEarly: Bool = true,
        reusesOutput: Bool = false
    ) {
        self.captures = captures
        self.reduction = reduction
        self.validFrames = validFrames
        self.interventions = interventions
        self.meansOverPadding = meansOverPadding
        self.stopsEarly = stopsEarly
        self.reusesOutput = reusesOutput
    }
}

/// One activation as it was captured.
public struct CapturedTensor: Sendable {
    public let hook: HookPoint
    /// The values along ``axes``; a reduction takes the axis of the positions away.
    public let tensor: Tensor
    /// What each axis is: `frame`, `mel_frame`, `token`, `state`, `neuron`, `vocab`, `head`, `head_dim`,
    /// `key_frame`, `key_token`.
    public let axes: [String]
    /// The frame or token that the first position stands for.
    public let firstPosition: Int
    /// Positions that were captured, or reduced to one.
    public let positions: Int
    /// Positions per second: 50 for encoder frames, 100 for `encoder.conv1`, nil for tokens.
    public let positionsPerSecond: Double?
}
