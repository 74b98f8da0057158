import Files
import StrictJSON

/// Turns JSON into protobuf bytes and back, for messages whose types are known from descriptors only.
///
/// The mapping is proto3's: lowerCamelCase names (the names of the .proto file are read as well), 64-bit integers as
/// strings, bytes in base64, enums by name, NaN and infinities as strings, null for what is absent. Of the types with a
/// JSON form of their own, google.protobuf.Any has it; the others are taken for the plain messages that they are.
///
/// What comes from outside never traps: JSON that does not fit throws ``ReflectionError`` (`invalidArgument`), bytes
/// that do not fit the same (`dataLoss`); both name the path of the field, as in `audio.span.start`.
package struct MessageCodec: Sendable {
    package struct Options: Sendable {
        /// Output has the names of the .proto file instead of lowerCamelCase.
        package var usesProtoNames = false
        /// Output has zeros, empty strings and empty lists too, where a field cannot tell them from absent ones.
        package var withDefaults = false

        package init() {}
    }

    /// The message that says itself of which type its content is.
    static let anyName = "google.protobuf.Any"

    package let pool: DescriptorPool
    package let options: Options

    package init(_ pool: DescriptorPool, options: Options = Options()) {
        self.pool = pool
        self.options = options
    }

    /// Fields in the order of their numbers, packed where the descriptor says so; zeros are left out where they cannot
    /// be told from absent values.
    package func encode(_ json: JSON, as message: MessageDescriptor) throws -> [UInt8] {
        do {
            return try encoded(json, as: message, depth: 1)
        } catch {
            throw Misfit(error).error(.invalidArgument, message)
        }
    }

    /// Members in the order in which the message declares its fields. Unknown fields are passed over; of a field that
    /// comes twice the last one counts, and messages are merged, as protobuf has it.
    package func decode(_ bytes: [UInt8], as message: MessageDescriptor) throws -> JSON {
        do {
            return try decoded(bytes[...], as: message, depth: 1)
        } catch {
            throw Misfit(error).error(.dataLoss, message)
        }
    }
}

/// What does not fit, with the steps from the outermost message that lead to it.
struct Misfit: Error {
    var steps: [String] = []
    let problem: String
    /// Where it is not the fault of what was given.
    private var code: ErrorCode?

    init(_ problem: String) { self.problem = problem }

    init(_ error: any Error) {
        switch error {
        case let error as Misfit: self = error
        case let error as ReflectionError: (problem, code) = (error.message, error.code)
        default: problem = "\(error)"
        }
    }

    func error(_ code: ErrorCode, _ message: MessageDescriptor) -> ReflectionError {
        let path = steps.reduce("") { $0.isEmpty || $1.hasPrefix("[") ? $0 + $1 : "\($0).\($1)" }
        return ReflectionError(self.code ?? code, "\(path.isEmpty ? message.fullName : path): \(problem)")
    }
}

/// Runs `body`, and says of what it throws that it lies below `step`: the name of a field, or "[index]".
func below<Result>(_ step: @autoclosure () -> String, _ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch {
        var misfit = Misfit(error)
        misfit.steps.insert(step(), at: 0)
        throw misfit
    }
}

extension DescriptorPool {
    /// What protoc made of a `map<>` field; nil for any other.
    func mapEntry(of field: FieldDescriptor) -> MessageDescriptor? {
        guard field.isRepeated, field.kind == .message, let entry = exactMessage(field.typeName), entry.isMapEntry
        else { return nil }
        return entry
    }
}

extension MessageDescriptor {
    /// The key and the value of a map's entry.
    func mapFields() throws -> (key: FieldDescriptor, value: FieldDescriptor) {
        guard let key = field(number: 1), let value = field(number: 2), !key.isRepeated, !value.isRepeated else {
            throw Misfit("\(fullName) is no entry of a map: it lacks a key or a value")
        }
        return (key, value)
    }
}
