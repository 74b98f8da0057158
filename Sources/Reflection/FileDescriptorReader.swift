/// What is read of one google.protobuf.FileDescriptorProto: names, types and comments, and no options but `packed` and
/// `map_entry`.
struct FileDescriptorReader {
    private(set) var name = ""
    private(set) var dependencies: [String] = []
    private(set) var messages: [MessageDescriptor] = []
    private(set) var enums: [EnumDescriptor] = []
    private(set) var services: [ServiceDescriptor] = []

    private var package = ""
    private var isProto3 = false
    private var comments: [[Int32]: DeclarationComments] = [:]

    /// - Throws: ``ReflectionError`` where `bytes` are no file descriptor (`dataLoss`) or one of an edition
    ///   (`unsupported`).
    init(_ bytes: [UInt8]) throws {
        do {
            try read(bytes)
        } catch let error as ReflectionError where error.code == .dataLoss {
            let file = name.isEmpty ? "a file descriptor" : "the file descriptor of \(name)"
            throw ReflectionError(.dataLoss, "\(file) cannot be read: \(error.message)")
        }
    }

    private mutating func read(_ bytes: [UInt8]) throws {
        // What is declared needs the package, the syntax and the comments, which may come after it.
        var declared: [(number: Int, content: ArraySlice<UInt8>)] = []
        try eachField(of: bytes[...]) { number, value in
            switch number {
            case 1: name = try value.text()
            case 2: package = try value.text()
            case 3: dependencies.append(try value.text())
            case 4, 5, 6: declared.append((number, try value.content()))
            case 9: try readComments(try value.content())
            case 12:
                let syntax = try value.text()
                guard syntax != "editions" else {
                    throw ReflectionError(.unsupported, "\(name) is written in an edition; expected proto2 or proto3")
                }
                isProto3 = syntax == "proto3"
            default: break
            }
        }
        guard !name.isEmpty else { throw ReflectionError(.dataLoss, "it has no name") }
        var counts: [Int: Int32] = [:]
        for (number, content) in declared {
            let path = [Int32(number), counts[number, default: 0]]
            counts[number, default: 0] += 1
            switch number {
            case 4: _ = try message(content, scope: package, path: path, depth: 1)
            case 5: _ = try enumeration(content, scope: package, path: path)
            default: try service(content, path: path)
            }
        }
    }

    /// - Returns: the full name.
    private mutating func message(
        _ bytes: ArraySlice<UInt8>, scope: String, path: [Int32], depth: Int
    ) throws -> String {
        guard depth <= ProtoReader.maximumDepth else {
            throw ReflectionError(.dataLoss, "messages are nested deeper than \(ProtoReader.maximumDepth) levels")
        }
        var name = ""
        var parts: [(number: Int, content: ArraySlice<UInt8>)] = []
        var isMapEntry = false
        try eachField(of: bytes) { number, value in
            switch number {
            case 1: name = try value.text()
            case 2, 3, 4, 8: parts.append((number, try value.content()))
            case 7: isMapEntry = try Self.flag(7, in: try value.content()) ?? false
            default: break
            }
        }
        let fullName = try qualified(name, in: scope)
        var draft: [FieldDraft] = []
        var oneofs: [OneofDescriptor] = []
        var nested: [String] = []
        var nestedEnums: [String] = []
        for (number, content) in parts {
            switch number {
            case 2:
                let index = Int32(truncatingIfNeeded: draft.count)
                draft.append(try FieldDraft(content, of: fullName, comments: comments(path + [2, index])))
            case 3:
                let index = Int32(truncatingIfNeeded: nested.count)
                nested.append(try message(content, scope: fullName, path: path + [3, index], depth: depth + 1))
            case 4:
                let index = Int32(truncatingIfNeeded: nestedEnums.count)
                nestedEnums.append(try enumeration(content, scope: fullName, path: path + [4, index]))
            default:
                let index = Int32(truncatingIfNeeded: oneofs.count)
                oneofs.append(OneofDescriptor(name: try Self.name(in: content), comments: comments(path + [8, index])))
            }
        }
        let fields = try draft.map { try $0.field(isProto3: isProto3, oneofCount: oneofs.count, of: fullName) }
        // protoc puts the oneofs of `optional` fields behind all others, so the others' indices stay.
        let realOneofs = oneofs.prefix((fields.compactMap(\.oneof).max() ?? -1) + 1)
        messages.append(
            MessageDescriptor(
                fullName: fullName, package: package, fields: fields, oneofs: Array(realOneofs), nested: nested,
                nestedEnums: nestedEnums, isMapEntry: isMapEntry, comments: comments(path),
                indexByNumber: Dictionary(fields.indices.map { (fields[$0].number, $0) }) { first, _ in first },
                indexByName: Dictionary(
                    fields.indices.map { (fields[$0].name, $0) } + fields.indices.map { (fields[$0].jsonName, $0) }
                ) { first, _ in first }))
        return fullName
    }

    /// - Returns: the full name.
    private mutating func enumeration(_ bytes: ArraySlice<UInt8>, scope: String, path: [Int32]) throws -> String {
        var name = ""
        var values: [EnumDescriptor.Value] = []
        try eachField(of: bytes) { number, value in
            switch number {
            case 1: name = try value.text()
            case 2:
                var valueName = ""
                var valueNumber: Int32 = 0
                try eachField(of: try value.content()) { number, part in
                    switch number {
                    case 1: valueName = try part.text()
                    case 2: valueNumber = Int32(truncatingIfNeeded: try part.varint())
                    default: break
                    }
                }
                let index = Int32(truncatingIfNeeded: values.count)
                values.append(.init(name: valueName, number: valueNumber, comments: comments(path + [2, index])))
            default: break
            }
        }
        let fullName = try qualified(name, in: scope)
        enums.append(EnumDescriptor(fullName: fullName, package: package, values: values, comments: comments(path)))
        return fullName
    }

    private mutating func service(_ bytes: ArraySlice<UInt8>, path: [Int32]) throws {
        var name = ""
        var contents: [ArraySlice<UInt8>] = []
        try eachField(of: bytes) { number, value in
            switch number {
            case 1: name = try value.text()
            case 2: contents.append(try value.content())
            default: break
            }
        }
        let fullName = try qualified(name, in: package)
        let methods = try contents.enumerated().map { index, content in
            try method(content, of: fullName, path: path + [2, Int32(truncatingIfNeeded: index)])
        }
        services.append(
            ServiceDescriptor(fullName: fullName, package: package, methods: methods, comments: comments(path)))
    }

    private func method(_ bytes: ArraySlice<UInt8>, of service: String, path: [Int32]) throws -> MethodDescriptor {
        var (name, input, output) = ("", "", "")
        var (clientStreaming, serverStreaming) = (false, false)
        try eachField(of: bytes) { number, value in
            switch number {
            case 1: name = try value.text()
            case 2: input = try value.typeName()
            case 3: output = try value.typeName()
            case 5: clientStreaming = try value.varint() != 0
            case 6: serverStreaming = try value.varint() != 0
            default: break
            }
        }
        guard !name.isEmpty else { throw ReflectionError(.dataLoss, "a method of \(service) has no name") }
        return MethodDescriptor(
            service: service, name: name, input: input, output: output, clientStreaming: clientStreaming,
            serverStreaming: serverStreaming, comments: comments(path))
    }

    private func qualified(_ name: String, in scope: String) throws -> String {
        guard !name.isEmpty else {
            throw ReflectionError(.dataLoss, "a declaration in \(scope.isEmpty ? "no package" : scope) has no name")
        }
        return scope.isEmpty ? name : "\(scope).\(name)"
    }

    // MARK: Comments

    /// google.protobuf.SourceCodeInfo: the path of a declaration is field numbers and indices from the file down.
    private mutating func readComments(_ bytes: ArraySlice<UInt8>) throws {
        try eachField(of: bytes) { number, location in
            guard number == 1 else { return }
            var path: [Int32] = []
            var found = DeclarationComments()
            try eachField(of: try location.content()) { number, value in
                switch (number, value) {
                case (1, .varint(let step)): path.append(Int32(truncatingIfNeeded: step))
                case (1, .bytes(let packed)):
                    var reader = ProtoReader(packed)
                    while !reader.isAtEnd { path.append(Int32(truncatingIfNeeded: try reader.varint())) }
                case (3, _): found.leading = try value.text()
                case (4, _): found.trailing = try value.text()
                default: break
                }
            }
            if found != DeclarationComments() { comments[path] = found }
        }
    }

    private func comments(_ path: [Int32]) -> DeclarationComments { comments[path] ?? DeclarationComments() }

    /// Field 1 of a message that has nothing else of interest.
    private static func name(in bytes: ArraySlice<UInt8>) throws -> String {
        var name = ""
        try eachField(of: bytes) { number, value in if number == 1 { name = try value.text() } }
        return name
    }

    /// A boolean option.
    fileprivate static func flag(_ option: Int, in bytes: ArraySlice<UInt8>) throws -> Bool? {
        var flag: Bool?
        try eachField(of: bytes) { number, value in if number == option { flag = try value.varint() != 0 } }
        return flag
    }
}

/// A field before it is known what its message has.
private struct FieldDraft {
    var name = ""
    var jsonName = ""
    var number = 0
    var label: UInt64 = 1
    var kind: UInt64 = 0
    var typeName = ""
    var oneof: Int?
    var isExplicitlyOptional = false
    var packed: Bool?
    let comments: DeclarationComments

    init(_ bytes: ArraySlice<UInt8>, of message: String, comments: DeclarationComments) throws {
        self.comments = comments
        try eachField(of: bytes) { number, value in
            switch number {
            case 1: name = try value.text()
            case 3: self.number = Int(Int32(truncatingIfNeeded: try value.varint()))
            case 4: label = try value.varint()
            case 5: kind = try value.varint()
            case 6: typeName = try value.typeName()
            case 8: packed = try FileDescriptorReader.flag(2, in: try value.content())
            case 9: oneof = Int(Int32(truncatingIfNeeded: try value.varint()))
            case 10: jsonName = try value.text()
            case 17: isExplicitlyOptional = try value.varint() != 0
            default: break
            }
        }
        guard !name.isEmpty else { throw ReflectionError(.dataLoss, "a field of \(message) has no name") }
    }

    func field(isProto3: Bool, oneofCount: Int, of message: String) throws -> FieldDescriptor {
        guard let label = Int(exactly: label).flatMap(FieldDescriptor.Label.init),
            let kind = Int(exactly: kind).flatMap(FieldDescriptor.Kind.init),
            (1..<(1 << 29)).contains(number), (0..<oneofCount).contains(oneof ?? 0) || oneof == nil
        else { throw ReflectionError(.dataLoss, "the field \(name) of \(message) has an invalid type or number") }
        let isRepeated = label == .repeated
        return FieldDescriptor(
            name: name, jsonName: jsonName.isEmpty ? Self.lowerCamelCase(name) : jsonName, number: number, label: label,
            kind: kind, typeName: typeName, oneof: isExplicitlyOptional ? nil : oneof,
            hasPresence: !isRepeated && (!isProto3 || kind == .message || kind == .group || oneof != nil),
            isExplicitlyOptional: isExplicitlyOptional,
            isPacked: isRepeated && kind.isPackable && (packed ?? isProto3), comments: comments)
    }

    /// protoc's rule: an underscore goes, and the letter after it becomes a capital.
    private static func lowerCamelCase(_ name: String) -> String {
        var out = ""
        var isCapital = false
        for character in name {
            if character == "_" {
                isCapital = true
            } else {
                out += isCapital ? character.uppercased() : String(character)
                isCapital = false
            }
        }
        return out
    }
}

/// A field's value before its type is known.
private enum WireValue {
    case varint(UInt64)
    case bytes(ArraySlice<UInt8>)
    case fixed

    func varint() throws -> UInt64 {
        guard case .varint(let value) = self else { throw ReflectionError(.dataLoss, "a number was expected") }
        return value
    }

    func content() throws -> ArraySlice<UInt8> {
        guard case .bytes(let bytes) = self else { throw ReflectionError(.dataLoss, "bytes were expected") }
        return bytes
    }

    func text() throws -> String {
        guard let text = String(validating: try content(), as: UTF8.self) else {
            throw ReflectionError(.dataLoss, "a name or comment is not UTF-8")
        }
        return text
    }

    /// Descriptors write full names with a point in front.
    func typeName() throws -> String {
        let text = try text()
        return text.hasPrefix(".") ? String(text.dropFirst()) : text
    }
}

private func eachField(of bytes: ArraySlice<UInt8>, _ body: (Int, WireValue) throws -> Void) throws {
    var reader = ProtoReader(bytes)
    while let (number, wireType) = try reader.tag() {
        switch wireType {
        case .varint: try body(number, .varint(try reader.varint()))
        case .lengthDelimited: try body(number, .bytes(try reader.lengthDelimited()))
        case .fixed32, .fixed64:
            try reader.skip(wireType)
            try body(number, .fixed)
        }
    }
}
