import Client

extension DescriptorPool {
    /// The declaration in .proto syntax, with its comments where the server's descriptors have them.
    package func describe(_ service: ServiceDescriptor) -> String {
        var out = DeclarationWriter()
        out.comment(service.comments.leading)
        out.line("service \(Self.shortName(service.fullName, in: service.package)) {")
        out.block {
            $0.comment(service.comments.trailing)
            for method in service.methods { Self.write(method, package: service.package, to: &$0) }
        }
        out.line("}")
        return out.text
    }

    /// The method, and the messages that go in and come out, where they are known.
    package func describe(_ method: MethodDescriptor) -> String {
        var out = DeclarationWriter()
        Self.write(method, package: services.first { $0.fullName == method.service }?.package ?? "", to: &out)
        let names = method.input == method.output ? [method.input] : [method.input, method.output]
        let declarations = names.compactMap { exactMessage($0) }.map { describe($0) }
        return ([out.text] + declarations).joined(separator: "\n")
    }

    /// With the messages and enums that are declared inside of it.
    package func describe(_ message: MessageDescriptor) -> String {
        var out = DeclarationWriter()
        write(message, name: Self.shortName(message.fullName, in: message.package), to: &out)
        return out.text
    }

    package func describe(_ enumeration: EnumDescriptor) -> String {
        var out = DeclarationWriter()
        Self.write(enumeration, name: Self.shortName(enumeration.fullName, in: enumeration.package), to: &out)
        return out.text
    }

    /// What is declared under any name: a service, a method, a message or an enum.
    /// - Throws: ``ReflectionError`` (`notFound`).
    package func describe(named name: String) throws -> String {
        if let service = try? service(named: name) { return describe(service) }
        if let message = try? message(named: name) { return describe(message) }
        if let enumeration = try? enumeration(named: name) { return describe(enumeration) }
        return describe(try method(name))
    }

    private func write(_ message: MessageDescriptor, name: String, to out: inout DeclarationWriter) {
        out.comment(message.comments.leading)
        let isEmpty = message.fields.isEmpty && message.nested.isEmpty && message.nestedEnums.isEmpty
        guard !isEmpty else { return out.line("message \(name) {}") }
        out.line("message \(name) {")
        out.block { out in
            out.comment(message.comments.trailing)
            for nested in message.nestedEnums.compactMap({ try? resolvedEnum($0) }) {
                Self.write(nested, name: Self.shortName(nested.fullName, in: message.fullName), to: &out)
            }
            for nested in message.nested.compactMap({ exactMessage($0) }) where !nested.isMapEntry {
                write(nested, name: Self.shortName(nested.fullName, in: message.fullName), to: &out)
            }
            var written: Set<Int> = []
            for field in message.fields {
                guard let index = field.oneof, index < message.oneofs.count else {
                    write(field, of: message, to: &out)
                    continue
                }
                guard written.insert(index).inserted else { continue }
                let oneof = message.oneofs[index]
                out.comment(oneof.comments.leading)
                out.line("oneof \(oneof.name) {")
                out.block { out in
                    out.comment(oneof.comments.trailing)
                    for member in message.fields where member.oneof == index { write(member, of: message, to: &out) }
                }
                out.line("}")
            }
        }
        out.line("}")
    }

    private func write(_ field: FieldDescriptor, of message: MessageDescriptor, to out: inout DeclarationWriter) {
        out.comment(field.comments.leading)
        var type = typeText(field, of: message)
        if let entry = mapEntry(of: field), let key = entry.field(number: 1), let value = entry.field(number: 2) {
            type = "map<\(typeText(key, of: message)), \(typeText(value, of: message))>"
        } else if field.label != .optional {
            type = "\(field.label) " + type
        } else if field.isExplicitlyOptional {
            type = "optional " + type
        }
        out.line("\(type) \(field.name) = \(field.number);")
        out.comment(field.comments.trailing)
    }

    private func typeText(_ field: FieldDescriptor, of message: MessageDescriptor) -> String {
        guard !field.typeName.isEmpty else { return field.kind.keyword }
        let inside = Self.shortName(field.typeName, in: message.fullName)
        return inside == field.typeName ? Self.shortName(field.typeName, in: message.package) : inside
    }

    private static func write(_ enumeration: EnumDescriptor, name: String, to out: inout DeclarationWriter) {
        out.comment(enumeration.comments.leading)
        out.line("enum \(name) {")
        out.block { out in
            out.comment(enumeration.comments.trailing)
            for value in enumeration.values {
                out.comment(value.comments.leading)
                out.line("\(value.name) = \(value.number);")
                out.comment(value.comments.trailing)
            }
        }
        out.line("}")
    }

    private static func write(_ method: MethodDescriptor, package: String, to out: inout DeclarationWriter) {
        out.comment(method.comments.leading)
        let input = (method.clientStreaming ? "stream " : "") + shortName(method.input, in: package)
        let output = (method.serverStreaming ? "stream " : "") + shortName(method.output, in: package)
        out.line("rpc \(method.name)(\(input)) returns (\(output));")
        out.comment(method.comments.trailing)
    }

    /// The name as it is written inside of `scope`.
    private static func shortName(_ name: String, in scope: String) -> String {
        name.hasPrefix(scope + ".") ? String(name.dropFirst(scope.count + 1)) : name
    }
}

/// Lines with a margin. Names and comments are the server's, and may end on a terminal: characters that would steer it
/// are replaced.
private struct DeclarationWriter {
    private(set) var text = ""
    private var margin = ""

    mutating func line(_ line: String) { text += margin + Self.printable(line) + "\n" }

    mutating func block(_ body: (inout DeclarationWriter) -> Void) {
        margin += "  "
        body(&self)
        margin.removeLast(2)
    }

    mutating func comment(_ comment: String) {
        guard !comment.isEmpty else { return }
        var lines = comment.split(separator: "\n", omittingEmptySubsequences: false)
        while let last = lines.last, last.allSatisfy(\.isWhitespace) { lines.removeLast() }
        for line in lines { text += margin + "//" + Self.printable(line) + "\n" }
    }

    private static func printable(_ text: some StringProtocol) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            out.append(scalar.properties.generalCategory == .control && scalar != "\t" ? "\u{FFFD}" : scalar)
        }
        return String(out)
    }
}
