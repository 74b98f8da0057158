import ArgumentParser
import Messages

/// What a window is filled with where the recording ends before it.
enum PaddingOption: String, ExpressibleByArgument, CaseIterable {
    case sound, mel

    static let help: ArgumentHelp = """
        Fill up the last window with zeros behind the samples ('sound'; usual but for transcripts), or behind the log-mel of \
        the whole recording ('mel'; usual for transcripts, as openai's transcribe()). Activations, and sometimes texts, differ.
        """
}

extension PaddingOption? {
    var message: V1.Padding {
        switch self {
        case nil: .paddingUnspecified
        case .sound: .sound
        case .mel: .mel
        }
    }
}

extension V1.Padding {
    /// Nil where a daemon does not say.
    var name: String? {
        switch self {
        case .sound: "sound"
        case .mel: "mel"
        default: nil
        }
    }
}
