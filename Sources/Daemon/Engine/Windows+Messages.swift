import Messages

extension EncoderContext {
    /// - Throws: ``ServiceError`` (`invalidArgument`) for a number that means none.
    init(_ message: V1.EncoderContext) throws {
        switch message {
        case .full: self = .full
        case .auto: self = .auto
        default: throw ServiceError(.invalidArgument, "there is no encoder context \(message.rawValue)")
        }
    }

    var message: V1.EncoderContext { self == .auto ? .auto : .full }
}

extension WindowPadding {
    /// Nil where a message leaves it to the call.
    /// - Throws: ``ServiceError`` (`invalidArgument`) for a number that means none.
    init?(_ message: V1.Padding) throws {
        switch message {
        case .paddingUnspecified: return nil
        case .sound: self = .sound
        case .mel: self = .mel
        default: throw ServiceError(.invalidArgument, "there is no padding \(message.rawValue)")
        }
    }

    var message: V1.Padding {
        switch self {
        case .sound: .sound
        case .mel: .mel
        }
    }
}
