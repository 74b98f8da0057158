import StrictJSON

extension MessageCodec {
    func decoded(_ bytes: ArraySlice<UInt8>, as message: MessageDescriptor, depth: Int) throws -> JSON {
        guard depth <= ProtoReader.maximumDepth else {
            throw Misfit("messages are nested deeper than \(ProtoReader.maximumDepth) levels")
        }
        if message.fullName == Self.anyName { return try decodedAny(bytes, depth: depth) }
        let values = try fieldValues(bytes, of: message, depth: depth)
        var members: [(String, JSON)] = []
        for (field, value) in zip(message.fields, values) {
            guard let value = try value ?? (options.withDefaults ? zero(of: field) : nil) else { continue }
            members.append((options.usesProtoNames ? field.name : field.jsonName, value))
        }
        return .object(members)
    }

    /// What the bytes hold of each field of `message`, in the same order; nil for what they do not.
    private func fieldValues(
        _ bytes: ArraySlice<UInt8>, of message: MessageDescriptor, depth: Int
    ) throws -> [JSON?] {
        var found = [Found](repeating: .nothing, count: message.fields.count)
        var latest: [Int: Int] = [:]  // by oneof, the member that is set
        var reader = ProtoReader(bytes)
        while let (number, wireType) = try reader.tag() {
            guard let index = message.indexByNumber[number] else {
                try reader.skip(wireType)
                continue
            }
            let field = message.fields[index]
            if let oneof = field.oneof, let other = latest.updateValue(index, forKey: oneof), other != index {
                found[other] = .nothing
            }
            // Taken out, so that a list is not copied with every element.
            var value = Found.nothing
            swap(&value, &found[index])
            try below(field.name) { try read(field, wireType, from: &reader, into: &value, depth: depth) }
            swap(&value, &found[index])
        }
        return try zip(message.fields, found).map { field, found in
            try below(field.name) { try json(found, field, depth: depth) }
        }
    }

    /// A field's value while its message is being read.
    fileprivate enum Found {
        case nothing
        case value(JSON)
        case elements([JSON])
        /// The bytes of a message; those of two are one after the other the bytes of both merged.
        case message(ArraySlice<UInt8>)
        /// Entries with the place of each key: the last of a key counts. Keys are told apart by their bytes; Swift
        /// holds strings for equal that differ in their composition.
        case entries([(String, JSON)], [[UInt8]: Int])
    }

    private func read(
        _ field: FieldDescriptor, _ wireType: WireType, from reader: inout ProtoReader, into found: inout Found,
        depth: Int
    ) throws {
        guard field.kind != .group else { throw Misfit("is a group, which cannot be read") }
        let isPacked = field.isRepeated && field.kind.isPackable && wireType == .lengthDelimited
        guard isPacked || wireType == field.kind.wireType else {
            throw Misfit("expected \(field.kind.wireType.name) for \(field.kind.keyword), found \(wireType.name)")
        }
        if let entry = pool.mapEntry(of: field) {
            let (key, value) = try mapEntry(try reader.lengthDelimited(), entry, depth: depth)
            return found.set(value, forKey: key)
        }
        guard field.isRepeated else {
            if field.kind == .message {
                var bytes = try reader.lengthDelimited()
                if case .message(var before) = found {
                    found = .nothing  // so that appending does not copy
                    before.append(contentsOf: bytes)
                    bytes = before
                }
                found = .message(bytes)
            } else {
                found = .value(try value(field, from: &reader, depth: depth))
            }
            return
        }
        var elements: [JSON] = []
        if case .elements(let before) = found { elements = before }
        found = .nothing
        if isPacked {
            var packed = ProtoReader(try reader.lengthDelimited())
            while !packed.isAtEnd { elements.append(try value(field, from: &packed, depth: depth)) }
        } else {
            elements.append(try below("[\(elements.count)]") { try value(field, from: &reader, depth: depth) })
        }
        found = .elements(elements)
    }

    private func json(_ found: Found, _ field: FieldDescriptor, depth: Int) throws -> JSON? {
        switch found {
        case .nothing: nil
        case .value(let value): !field.hasPresence && isZero(value, field) && !options.withDefaults ? nil : value
        case .elements(let elements): elements.isEmpty ? nil : .array(elements)
        case .message(let bytes): try decoded(bytes, as: pool.resolvedMessage(field.typeName), depth: depth + 1)
        case .entries(let entries, _): .object(entries)
        }
    }

    private func value(_ field: FieldDescriptor, from reader: inout ProtoReader, depth: Int) throws -> JSON {
        switch field.kind {
        case .message:
            return try decoded(
                try reader.lengthDelimited(), as: pool.resolvedMessage(field.typeName), depth: depth + 1)
        case .enumeration:
            let number = Int32(truncatingIfNeeded: try reader.varint())
            return enumValue(number, try pool.resolvedEnum(field.typeName))
        default: return try reader.scalar(field.kind)
        }
    }

    private func enumValue(_ number: Int32, _ enumeration: EnumDescriptor) -> JSON {
        enumeration.name(of: number).map(JSON.string) ?? .integer(Int(number))
    }

    private func mapEntry(
        _ bytes: ArraySlice<UInt8>, _ entry: MessageDescriptor, depth: Int
    ) throws -> (String, JSON) {
        let (keyField, valueField) = try entry.mapFields()
        let values = try fieldValues(bytes, of: entry, depth: depth)
        let key = entry.indexByNumber[1].flatMap { values[$0] } ?? keyField.kind.zero
        let value = try entry.indexByNumber[2].flatMap { values[$0] } ?? zero(of: valueField, evenMessages: true)
        let name =
            switch key {
            case .string(let text): text
            default: key.compactText
            }
        return (name, value ?? .null)
    }

    /// What `withDefaults` shows of a field that is absent; nil where absence itself says something.
    private func zero(of field: FieldDescriptor, evenMessages: Bool = false) throws -> JSON? {
        if pool.mapEntry(of: field) != nil { return .object([]) }
        if field.isRepeated { return .array([]) }
        if evenMessages, field.kind == .message { return .object([]) }
        guard !field.hasPresence else { return nil }
        return field.kind == .enumeration ? enumValue(0, try pool.resolvedEnum(field.typeName)) : field.kind.zero
    }

    private func isZero(_ value: JSON, _ field: FieldDescriptor) -> Bool {
        switch (value, field.kind) {
        case (.string(let text), .enumeration):
            (try? pool.resolvedEnum(field.typeName))?.number(of: text) == 0
        case (.string(let text), .string), (.string(let text), .bytes): text.isEmpty
        case (.string(let text), _): text == "0"
        case (.number(let number), _): number.bitPattern == 0
        case (.integer(let number), _): number == 0
        case (.bool(let flag), _): !flag
        default: false
        }
    }

    // MARK: Any

    private func decodedAny(_ bytes: ArraySlice<UInt8>, depth: Int) throws -> JSON {
        var url = ""
        var content: ArraySlice<UInt8> = []
        var reader = ProtoReader(bytes)
        while let (number, wireType) = try reader.tag() {
            switch (number, wireType) {
            case (1, .lengthDelimited):
                guard case .string(let text) = try reader.scalar(.string) else { break }
                url = text
            case (2, .lengthDelimited): content = try reader.lengthDelimited()
            default: try reader.skip(wireType)
            }
        }
        guard !url.isEmpty || !content.isEmpty else { return .object([]) }
        let type = ("@type", JSON.string(url))
        guard let message = pool.exactMessage(Self.typeName(of: url)) else {
            return .object([type, ("value", JSON(base64: content))])
        }
        let inner = try decoded(content, as: message, depth: depth + 1)
        guard message.fullName != Self.anyName, case .object(let members) = inner else {
            return .object([type, ("value", inner)])
        }
        return .object([type] + members)
    }
}

extension MessageCodec.Found {
    fileprivate mutating func set(_ value: JSON, forKey key: String) {
        var entries: [(String, JSON)] = []
        var places: [[UInt8]: Int] = [:]
        let bytes = Array(key.utf8)
        if case .entries(let before, let known) = self { (entries, places) = (before, known) }
        self = .nothing
        if let place = places[bytes] {
            entries[place].1 = value
        } else {
            places[bytes] = entries.count
            entries.append((key, value))
        }
        self = .entries(entries, places)
    }
}
