/// Who asks: what the engine's time is shared out among. The number means nothing else.
public struct ClientID: Hashable, Sendable, CustomStringConvertible {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
    public var description: String { "client \(value)" }
}
