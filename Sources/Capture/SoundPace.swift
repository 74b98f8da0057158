/// Tells sound from what ALSA reads, as fast as it can, of some devices that are gone.
struct SoundPace {
    private let rate: Double
    /// Seconds of sound that came before their time.
    private var ahead = 0.0
    private var last: Double?

    /// Seconds of sound that a device may have kept for whoever opens it.
    private static let most = 1.0
    /// How much faster than it says a device may be.
    private static let fastest = 1.25

    init(rate: Int) { self.rate = Double(rate) }

    /// - Parameter time: when they came, in seconds.
    /// - Returns: whether so many frames may have been made.
    mutating func isPossible(frames: Int, at time: Double) -> Bool {
        ahead = max(0, ahead - max(0, time - (last ?? time)) * Self.fastest) + Double(frames) / rate
        last = time
        return ahead < Self.most
    }
}
