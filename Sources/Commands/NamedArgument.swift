import ArgumentParser
import Messages

/// An enum of the contract that an option takes by its names.
public protocol NamedArgument: ProtoEnum, ExpressibleByArgument {}

extension NamedArgument {
    public init?(argument: String) { self.init(name: argument) }
    public var defaultValueDescription: String { name }
    public static var allValueStrings: [String] { names }
    public static var defaultCompletionKind: CompletionKind { .list(names) }
}

extension V1.EncoderContext: NamedArgument {}
extension V1.Padding: NamedArgument {}
extension V1.Frames: NamedArgument {}
extension V1.ModelRef.Precision: NamedArgument {}
extension V1.Reduction: NamedArgument {}
extension V1.SoundFormat: NamedArgument {}
extension V1.Task: NamedArgument {}

extension V1.EncoderContext {
    static let help: ArgumentHelp = """
        The encoder's context: the model's whole window, as it was trained, or no more than the recording, which is \
        faster and gives slightly other values.
        """
}

extension V1.Padding {
    static let help: ArgumentHelp = """
        Pad the last window with zeros after the samples ('sound'; the default except for transcripts), or after the log-mel \
        of the whole recording ('mel'; the default for transcripts, as in openai's transcribe()). Activations, and sometimes \
        texts, differ.
        """
}
