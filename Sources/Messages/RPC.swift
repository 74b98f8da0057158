/// A method of a service, with the types of its messages.
public struct RPC<Request: ProtoMessage, Response: ProtoMessage>: Sendable {
    public let service: String
    public let method: String
    public let kind: RPCKind

    public init(_ service: String, _ method: String, _ kind: RPCKind) {
        self.service = service
        self.method = method
        self.kind = kind
    }
}

/// Which sides of a call stream.
public enum RPCKind: Sendable { case unary, serverStream, clientStream, bidirectional }
