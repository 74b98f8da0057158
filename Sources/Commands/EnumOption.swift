import ArgumentParser
import Messages

// An enum of the contract as an option, by its names. The library's own way for enums shows raw values, which are numbers here.

extension Option where Value: ProtoEnum {
    init(wrappedValue: Value, name: NameSpecification = .long, help: ArgumentHelp) {
        self.init(
            wrappedValue: wrappedValue, name: name, help: help.naming(Value.self, default: wrappedValue),
            completion: .list(Value.names), transform: Value.named)
    }
}

extension Option {
    init<Enum: ProtoEnum>(name: NameSpecification = .long, help: ArgumentHelp) where Value == Enum? {
        self.init(
            name: name, help: help.naming(Enum.self, default: nil), completion: .list(Enum.names),
            transform: Enum.named)
    }
}

extension ProtoEnum {
    /// - Throws: ``ArgumentParser/ValidationError``, which says what names there are.
    fileprivate static func named(_ name: String) throws -> Self {
        guard let value = Self(name: name) else {
            throw ValidationError("expected one of \(names.joined(separator: ", "))")
        }
        return value
    }
}

extension ArgumentHelp {
    /// The values, as the library writes those of its own enums.
    fileprivate func naming<Enum: ProtoEnum>(_: Enum.Type, default value: Enum?) -> Self {
        var help = self
        let byDefault = value.map { "; default: \($0.name)" } ?? ""
        help.abstract += " (values: \(Enum.names.joined(separator: ", "))\(byDefault))"
        return help
    }
}

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
