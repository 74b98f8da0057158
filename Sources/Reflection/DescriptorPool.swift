/// The types and services of a server, as it describes them itself at run time.
///
/// A value: copies are independent, and a finished pool is read from any thread.
package struct DescriptorPool: Sendable {
    /// Names of the files that are in, in the order in which they came.
    package private(set) var files: [String] = []
    /// In the order of the files.
    package private(set) var services: [ServiceDescriptor] = []

    private var messages: [String: MessageDescriptor] = [:]
    private var enums: [String: EnumDescriptor] = [:]
    /// Where each full name is declared.
    private var origins: [String: String] = [:]
    private var imports: Set<String> = []

    package init() {}

    /// - Parameter files: each a serialized google.protobuf.FileDescriptorProto, in any order.
    /// - Throws: ``ReflectionError`` where one is damaged or declares what another one does.
    package init(files: [[UInt8]]) throws {
        for file in files { try add(file) }
    }

    /// - Parameter bytes: a google.protobuf.FileDescriptorSet, as `protoc --descriptor_set_out` writes.
    package init(fileDescriptorSet bytes: [UInt8]) throws {
        var reader = ProtoReader(bytes)
        while let (number, wireType) = try reader.tag() {
            if number == 1, wireType == .lengthDelimited {
                try add(Array(try reader.lengthDelimited()))
            } else {
                try reader.skip(wireType)
            }
        }
    }

    /// Adds a file; nothing where one of this name is in already.
    package mutating func add(_ file: [UInt8]) throws {
        let file = try FileDescriptorReader(file)
        guard !files.contains(file.name) else { return }
        let names = file.messages.map(\.fullName) + file.enums.map(\.fullName) + file.services.map(\.fullName)
        var declared: Set<String> = []
        for name in names {
            let origin = declared.insert(name).inserted ? origins[name] : file.name
            guard let origin else { continue }
            throw ReflectionError(.dataLoss, "\(name) is declared twice, in \(origin) and in \(file.name)")
        }
        files.append(file.name)
        imports.formUnion(file.dependencies)
        services += file.services
        for name in names { origins[name] = file.name }
        for message in file.messages { messages[message.fullName] = message }
        for enumeration in file.enums { enums[enumeration.fullName] = enumeration }
    }

    /// Files that are imported and not in, sorted: what is to be asked for next.
    package var missingFiles: [String] { imports.subtracting(files).sorted() }

    /// The full names of all messages, sorted.
    package var messageNames: [String] { messages.keys.sorted() }

    // MARK: Look-up

    /// - Parameter name: "auscult.v1.Model", or its last parts where only one service ends in them: "Model".
    /// - Throws: ``ReflectionError`` (`notFound`) with the likeliest names.
    package func service(named name: String) throws -> ServiceDescriptor {
        let index = try Self.index(of: name, in: services.map(\.fullName), what: "service")
        return services[index]
    }

    /// - Parameter name: "auscult.v1.Model/List", or "Model/List" or "Model.List" where that names one method only.
    /// - Throws: ``ReflectionError`` (`notFound`) with the likeliest names.
    package func method(_ name: String) throws -> MethodDescriptor {
        let methods = services.flatMap(\.methods)
        var wanted = name
        if !name.contains("/"), let point = name.lastIndex(of: ".") {
            wanted.replaceSubrange(point...point, with: "/")
        }
        return methods[try Self.index(of: wanted, in: methods.map(\.path), what: "method", as: name)]
    }

    /// As ``service(named:)``.
    package func message(named name: String) throws -> MessageDescriptor {
        if let message = messages[name] { return message }
        let names = messageNames
        let found = names[try Self.index(of: name, in: names, what: "message")]
        guard let message = messages[found] else { throw Self.unresolved(found) }
        return message
    }

    /// As ``service(named:)``.
    package func enumeration(named name: String) throws -> EnumDescriptor {
        if let enumeration = enums[name] { return enumeration }
        let names = enums.keys.sorted()
        let found = names[try Self.index(of: name, in: names, what: "enum")]
        guard let enumeration = enums[found] else { throw Self.unresolved(found) }
        return enumeration
    }

    /// The message of exactly this full name.
    func exactMessage(_ fullName: String) -> MessageDescriptor? { messages[fullName] }

    /// The message that a field is of, by its full name.
    func resolvedMessage(_ fullName: String) throws -> MessageDescriptor {
        guard let message = messages[fullName] else { throw Self.unresolved(fullName) }
        return message
    }

    func resolvedEnum(_ fullName: String) throws -> EnumDescriptor {
        guard let enumeration = enums[fullName] else { throw Self.unresolved(fullName) }
        return enumeration
    }

    private static func unresolved(_ name: String) -> ReflectionError {
        ReflectionError(.dataLoss, "the type \(name) is not among the descriptors that the server gave")
    }

    /// Where in `names` the one lies that is `name`, or that alone ends in it from a point on.
    private static func index(
        of name: String, in names: [String], what: String, as written: String? = nil
    ) throws -> Int {
        if let exact = names.firstIndex(of: name) { return exact }
        let ending = names.indices.filter { !name.isEmpty && names[$0].hasSuffix("." + name) }
        if ending.count == 1 { return ending[0] }
        let written = written ?? name
        guard ending.isEmpty else {
            let candidates = ending.map { names[$0] }.sorted().joined(separator: ", ")
            throw ReflectionError(.notFound, "'\(written)' is the name of several: \(candidates)")
        }
        // What was left out by the user should not count against a name.
        let short = names.map { name in name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? name }
        let likely = likelyNames(for: name, in: names)
        let likelyShort = likelyNames(for: name, in: short).flatMap { match in
            names.indices.filter { short[$0] == match }.map { names[$0] }
        }
        var suggestions: [String] = []
        for name in likelyShort + likely where !suggestions.contains(name) { suggestions.append(name) }
        throw ReflectionError(
            .notFound, "the server has no \(what) '\(written)'" + suggestions.prefix(3).asSuggestion)
    }
}
