/// Something about a recording that could be used, which its reader should know: a kind for programs, a sentence for
/// people. The sentence does not name the recording; whoever shows it does.
public struct Notice: Sendable, Hashable, CustomStringConvertible {
    /// The kinds are an open set.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// Less came than the header promised, or a stream has no end.
        public static let cutShort = Code(rawValue: "cut_short")
        /// The header's length is wrong in another way, and was not believed.
        public static let wrongLength = Code(rawValue: "wrong_length")
        /// Bytes that are no sound, or a stream of another kind, were left out.
        public static let passedOver = Code(rawValue: "passed_over")
        /// What came after could not be decoded.
        public static let damaged = Code(rawValue: "damaged")
        /// Samples beyond full scale were set to ±1.
        public static let clipped = Code(rawValue: "clipped")
        /// Samples of another scale were divided.
        public static let scaled = Code(rawValue: "scaled")
        /// Little is left of the channels when they are mixed.
        public static let channelsCancel = Code(rawValue: "channels_cancel")
        /// Taken for raw samples, though it looks like something else.
        public static let takenForSamples = Code(rawValue: "taken_for_samples")
    }

    public let code: Code
    public let text: String

    public init(_ code: Code, _ text: String) {
        self.code = code
        self.text = text
    }

    public var description: String { text }
}
