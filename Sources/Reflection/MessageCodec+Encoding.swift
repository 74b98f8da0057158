import Client
import StrictJSON

extension MessageCodec {
    func encoded(_ json: JSON, as message: MessageDescriptor, depth: Int) throws -> [UInt8] {
        guard depth <= ProtoReader.maximumDepth else {
            throw Misfit("messages are nested deeper than \(ProtoReader.maximumDepth) levels")
        }
        guard case .object(let members) = json else {
            throw Misfit("expected an object for \(message.fullName), found \(json.briefly)")
        }
        if message.fullName == Self.anyName { return try encodedAny(members, depth: depth) }
        let values = try assigned(members, to: message)
        var writer = ProtoWriter()
        for index in values.keys.sorted(by: { message.fields[$0].number < message.fields[$1].number }) {
            guard let (name, value) = values[index] else { continue }
            try below(name) { try write(value, message.fields[index], to: &writer, depth: depth) }
        }
        return writer.bytes
    }

    /// The members that are there, by the index of their field.
    private func assigned(
        _ members: [(String, JSON)], to message: MessageDescriptor
    ) throws -> [Int: (name: String, value: JSON)] {
        var values: [Int: (name: String, value: JSON)] = [:]
        var oneofs: [Int: String] = [:]
        for (name, value) in members {
            guard let index = message.indexByName[name] else { throw unknown(name, in: message) }
            let field = message.fields[index]
            if case .null = value { continue }
            if let other = values.updateValue((name, value), forKey: index) {
                throw Misfit("\(other.name) and \(name) are one field, which is given twice")
            }
            guard let oneof = field.oneof else { continue }
            if let other = oneofs.updateValue(name, forKey: oneof) {
                throw Misfit(
                    "\(other) and \(name) exclude each other: only one member of "
                        + "'\(message.oneofs[oneof].name)' may be set"
                )
            }
        }
        return values
    }

    private func unknown(_ name: String, in message: MessageDescriptor) -> Misfit {
        let known = message.fields.map(\.jsonName)
        let likely = likelyNames(for: name, in: known)
        var hint = likely.asSuggestion
        if hint.isEmpty { hint = known.isEmpty ? "; it has none" : "; it has \(known.joined(separator: ", "))" }
        var misfit = Misfit("\(message.fullName) has no such field\(hint)")
        misfit.steps = [name]
        return misfit
    }

    private func write(_ json: JSON, _ field: FieldDescriptor, to writer: inout ProtoWriter, depth: Int) throws {
        if let entry = pool.mapEntry(of: field) {
            return try writeMap(json, field, entry, to: &writer, depth: depth)
        }
        guard field.isRepeated else {
            let value = try value(json, field, depth: depth)
            // All bytes are zero for the zero of every kind (an empty string's length, too), and for nothing else.
            guard field.hasPresence || value.contains(where: { $0 != 0 }) else { return }
            writer.tag(field.number, field.kind.wireType)
            return writer.raw(value)
        }
        guard case .array(let elements) = json else { throw Misfit("expected a list, found \(json.briefly)") }
        guard !elements.isEmpty else { return }
        var packed = ProtoWriter()
        for (index, element) in elements.enumerated() {
            let value = try below("[\(index)]") { try self.value(element, field, depth: depth) }
            if !field.isPacked { packed.tag(field.number, field.kind.wireType) }
            packed.raw(value)
        }
        guard field.isPacked else { return writer.raw(packed.bytes) }
        writer.tag(field.number, .lengthDelimited)
        writer.lengthDelimited(packed.bytes)
    }

    private func writeMap(
        _ json: JSON, _ field: FieldDescriptor, _ entry: MessageDescriptor, to writer: inout ProtoWriter, depth: Int
    ) throws {
        guard case .object(let members) = json else {
            throw Misfit("expected an object with the entries of a map, found \(json.briefly)")
        }
        let (keyField, valueField) = try entry.mapFields()
        for (name, value) in members {
            try below(name) {
                let key: JSON =
                    keyField.kind == .bool ? (Self.bools[name].map(JSON.bool) ?? .string(name)) : .string(name)
                var content = ProtoWriter()
                content.tag(1, keyField.kind.wireType)
                content.raw(try self.value(key, keyField, depth: depth))
                content.tag(2, valueField.kind.wireType)
                content.raw(try self.value(value, valueField, depth: depth))
                writer.tag(field.number, .lengthDelimited)
                writer.lengthDelimited(content.bytes)
            }
        }
    }

    private static let bools = ["true": true, "false": false]

    /// A value as it follows its tag, length included.
    private func value(_ json: JSON, _ field: FieldDescriptor, depth: Int) throws -> [UInt8] {
        var writer = ProtoWriter()
        switch field.kind {
        case .message:
            let message = try pool.resolvedMessage(field.typeName)
            writer.lengthDelimited(try encoded(json, as: message, depth: depth + 1))
        case .group: throw Misfit("is a group, which cannot be written")
        case .enumeration:
            let number = try enumNumber(json, pool.resolvedEnum(field.typeName))
            writer.varint(UInt64(bitPattern: Int64(number)))
        default: try writer.scalar(json, field.kind)
        }
        return writer.bytes
    }

    private func enumNumber(_ json: JSON, _ enumeration: EnumDescriptor) throws -> Int32 {
        if case .string(let name) = json {
            if let number = enumeration.number(of: name) { return number }
            let names = enumeration.values.map(\.name)
            let likely = likelyNames(for: name, in: names)
            let hint = likely.isEmpty ? "; it has \(names.joined(separator: ", "))" : likely.asSuggestion
            throw Misfit("\(enumeration.fullName) has no value \(json.briefly)\(hint)")
        }
        guard let number = json.signed.flatMap(Int32.init(exactly:)) else {
            throw Misfit("expected a name or number of \(enumeration.fullName), found \(json.briefly)")
        }
        return number
    }

    // MARK: Any

    /// `{"@type": "type.googleapis.com/NAME", fields…}`; `{"@type": …, "value": base64}` for a type that is not known.
    private func encodedAny(_ members: [(String, JSON)], depth: Int) throws -> [UInt8] {
        guard !members.isEmpty else { return [] }
        guard let type = members.first(where: { $0.0 == "@type" })?.1, case .string(let url) = type else {
            throw Misfit("expected a member \"@type\" with the address of a type, as in type.googleapis.com/NAME")
        }
        let others = members.filter { $0.0 != "@type" }
        let content: [UInt8]
        if let message = pool.exactMessage(Self.typeName(of: url)), message.fullName != Self.anyName {
            content = try encoded(.object(others), as: message, depth: depth + 1)
        } else {
            if let other = others.first(where: { $0.0 != "value" }) {
                var misfit = Misfit(
                    "the server does not describe the type \(url); it can only be given as \"value\", in base64")
                misfit.steps = [other.0]
                throw misfit
            }
            content = try below("value") {
                guard let value = others.first?.1 else { return [] }
                if let message = pool.exactMessage(Self.typeName(of: url)) {
                    return try encoded(value, as: message, depth: depth + 1)
                }
                return try value.base64()
            }
        }
        var writer = ProtoWriter()
        if !url.isEmpty {
            writer.tag(1, .lengthDelimited)
            writer.lengthDelimited(url.utf8)
        }
        guard !content.isEmpty else { return writer.bytes }
        writer.tag(2, .lengthDelimited)
        writer.lengthDelimited(content)
        return writer.bytes
    }

    /// What follows the last slash.
    static func typeName(of url: String) -> String {
        url.lastIndex(of: "/").map { String(url[url.index(after: $0)...]) } ?? url
    }
}
