import Kernels

/// How the positions (frames, tokens) of a captured activation are reduced while it is captured.
public enum Reduction: String, Sendable, CaseIterable { case none, max, mean }

/// What a run is to capture and to change, known before it starts.
public struct HookPlan: Sendable {
    public var captures: Set<HookPoint>
    public var reduction: Reduction
    /// Encoder positions to keep: the frames that overlap audio, or nil for all of them.
    public var validFrames: Int?
    public var interventions: [Intervention]

    public init(
        captures: Set<HookPoint> = [], reduction: Reduction = .none, validFrames: Int? = nil,
        interventions: [Intervention] = []
    ) {
        self.captures = captures
        self.reduction = reduction
        self.validFrames = validFrames
        self.interventions = interventions
    }
}

/// One activation as it was captured.
public struct CapturedTensor: Sendable {
    public let hook: HookPoint
    /// The values, `[positions, …]`, or `[heads, positions, keys]` for scores and patterns; a reduction takes
    /// the axis of the positions away.
    public let tensor: Tensor
    /// What each axis of `tensor` is: `frame`, `mel_frame`, `token`, `state`, `neuron`, `head`, `head_dim`, `key_frame`, `key_token`, `vocab`.
    public let axes: [String]
    /// The frame or token that row 0 stands for.
    public let firstPosition: Int
    /// Positions per second along that axis: 50 for encoder frames, 100 for `encoder.conv1`, nil for tokens.
    public let positionsPerSecond: Double?
}
