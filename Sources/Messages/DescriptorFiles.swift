/// The files of a descriptor set: their bytes, what they import and what they declare.
public struct DescriptorFiles: Sendable {
    public struct File: Sendable {
        public var name = ""
        public var imports: [String] = []
        /// Messages, enums, services and methods, with their package.
        public var symbols: Set<String> = []
        /// A serialized `google.protobuf.FileDescriptorProto`.
        public var bytes: [UInt8] = []
    }

    /// Those of the whole contract.
    public static let contract = (try? DescriptorFiles(set: DescriptorSet.bytes)) ?? DescriptorFiles(files: [])

    public let files: [File]
    private let declaring: [String: Int]

    private init(files: [File]) {
        self.files = files
        declaring = Dictionary(files.enumerated().flatMap { index, file in file.symbols.map { ($0, index) } }) { $1 }
    }

    /// Reads a serialized `google.protobuf.FileDescriptorSet`.
    /// - Throws: ``MessageError`` for bytes that are none.
    public init(set bytes: [UInt8]) throws {
        var files: [File] = []
        try bytes.withUnsafeBytes { bytes in
            try Self.each(bytes) { number, value in
                if number == 1 { files.append(try Self.file(value)) }
            }
        }
        self.init(files: files)
    }

    public func file(named name: String) -> File? { files.first { $0.name == name } }

    /// The file that declares a message, an enum, a service or a method.
    public func file(declaring symbol: String) -> File? { declaring[symbol].map { files[$0] } }

    /// The file and all that it imports, imports first.
    public func withImports(of file: File) -> [File] {
        var found: [File] = []
        var names: Set<String> = []
        func add(_ file: File) {
            guard names.insert(file.name).inserted else { return }
            for name in file.imports { self.file(named: name).map(add) }
            found.append(file)
        }
        add(file)
        return found
    }

    // MARK: - Reading descriptors (the field numbers are those of google/protobuf/descriptor.proto)

    private static func file(_ bytes: UnsafeRawBufferPointer) throws -> File {
        var file = File(bytes: Array(bytes))
        var package = ""
        try each(bytes) { number, value in
            switch number {
            case 1: file.name = text(value)
            case 2: package = text(value)
            case 3: file.imports.append(text(value))
            default: break
            }
        }
        let prefix = package.isEmpty ? "" : package + "."
        try each(bytes) { number, value in
            switch number {
            case 4: try message(value, prefix, &file.symbols)
            case 5: file.symbols.insert(prefix + (try name(value)))
            case 6:
                let service = prefix + (try name(value))
                file.symbols.insert(service)
                try each(value) { number, value in
                    if number == 2 { file.symbols.insert(service + "." + (try name(value))) }
                }
            default: break
            }
        }
        return file
    }

    private static func message(
        _ bytes: UnsafeRawBufferPointer, _ prefix: String, _ symbols: inout Set<String>
    ) throws {
        let full = prefix + (try name(bytes))
        symbols.insert(full)
        try each(bytes) { number, value in
            switch number {
            case 3: try message(value, full + ".", &symbols)
            case 4: symbols.insert(full + "." + (try name(value)))
            default: break
            }
        }
    }

    /// The first field of every declaration.
    private static func name(_ bytes: UnsafeRawBufferPointer) throws -> String {
        var found = ""
        try each(bytes) { number, value in
            if number == 1 { found = text(value) }
        }
        return found
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func each(
        _ bytes: UnsafeRawBufferPointer, _ body: (UInt32, UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var reader = WireReader(bytes, nil)
        while !reader.isAtEnd {
            let (number, kind) = try reader.key()
            let value = try reader.value(kind)
            if kind == .lengthDelimited { try body(number, value) }
        }
    }
}
