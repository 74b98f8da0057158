/// Who asks: what the engine's time is shared out among. The number means nothing else.
public struct ClientID: Hashable, Sendable, CustomStringConvertible {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
    /// An account of its own for the same client's urgent work.
    var beside: ClientID { ClientID(value | 1 << 63) }
    public var description: String { "client \(value)" }
}
