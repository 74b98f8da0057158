/// What is written about a declaration in its .proto file.
package struct DeclarationComments: Sendable, Equatable {
    /// Above the declaration, and behind or below it; empty for none. As protoc gives them: each line begins with the
    /// blank that followed `//`.
    package var leading = ""
    package var trailing = ""
}

/// A field of a message.
package struct FieldDescriptor: Sendable {
    package enum Label: Int, Sendable { case optional = 1, required, repeated }

    /// The numbers are FieldDescriptorProto.Type's.
    package enum Kind: Int, Sendable {
        case double = 1, float, int64, uint64, int32, fixed64, fixed32, bool, string, group, message, bytes, uint32
        case enumeration, sfixed32, sfixed64, sint32, sint64

        /// As in a .proto file.
        var keyword: String { self == .enumeration ? "enum" : "\(self)" }

        var wireType: WireType {
            switch self {
            case .double, .fixed64, .sfixed64: .fixed64
            case .float, .fixed32, .sfixed32: .fixed32
            case .string, .bytes, .message, .group: .lengthDelimited
            case .int64, .uint64, .int32, .bool, .uint32, .enumeration, .sint32, .sint64: .varint
            }
        }

        /// Whether many of them may lie one after another without tags.
        var isPackable: Bool { wireType != .lengthDelimited }
    }

    package let name: String
    /// lowerCamelCase, as in JSON.
    package let jsonName: String
    package let number: Int
    package let label: Label
    package let kind: Kind
    /// The full name of the message or enum; empty for other kinds.
    package let typeName: String
    /// Index into the message's `oneofs`; nil outside of one, and for proto3's `optional`.
    package let oneof: Int?
    /// Whether an absent value differs from a zero.
    package let hasPresence: Bool
    /// Whether it is written as `optional`.
    package let isExplicitlyOptional: Bool
    package let isPacked: Bool
    package let comments: DeclarationComments

    package var isRepeated: Bool { label == .repeated }
}

package struct OneofDescriptor: Sendable {
    package let name: String
    package let comments: DeclarationComments
}

package struct MessageDescriptor: Sendable {
    /// With its package and the messages around it: "auscult.v1.Span".
    package let fullName: String
    /// The package that its file belongs to.
    package let package: String
    /// In the order of the file.
    package let fields: [FieldDescriptor]
    /// Those that the file declares; not those that stand for proto3's `optional`.
    package let oneofs: [OneofDescriptor]
    /// Full names of the messages and enums inside, in the order of the file.
    package let nested: [String]
    package let nestedEnums: [String]
    /// Whether it is what protoc makes of a `map<>` field: `key = 1`, `value = 2`.
    package let isMapEntry: Bool
    package let comments: DeclarationComments

    /// First field of a number or a name, where a damaged descriptor has two.
    let indexByNumber: [Int: Int]
    /// By the name in the .proto file and by the JSON name.
    let indexByName: [String: Int]

    package func field(number: Int) -> FieldDescriptor? { indexByNumber[number].map { fields[$0] } }
    package func field(named name: String) -> FieldDescriptor? { indexByName[name].map { fields[$0] } }
}

package struct EnumDescriptor: Sendable {
    package struct Value: Sendable {
        package let name: String
        package let number: Int32
        package let comments: DeclarationComments
    }

    package let fullName: String
    package let package: String
    /// In the order of the file; several may have one number.
    package let values: [Value]
    package let comments: DeclarationComments

    package func number(of name: String) -> Int32? { values.first { $0.name == name }?.number }
    package func name(of number: Int32) -> String? { values.first { $0.number == number }?.name }
}

package struct MethodDescriptor: Sendable {
    /// The full name of the service: "auscult.v1.Model".
    package let service: String
    package let name: String
    /// Full names of the messages.
    package let input: String
    package let output: String
    package let clientStreaming: Bool
    package let serverStreaming: Bool
    package let comments: DeclarationComments

    /// "auscult.v1.Model/List", as it is called.
    package var path: String { "\(service)/\(name)" }
}

package struct ServiceDescriptor: Sendable {
    package let fullName: String
    package let package: String
    /// In the order of the file.
    package let methods: [MethodDescriptor]
    package let comments: DeclarationComments
}
