import CAuscultPlugin

/// Why something did not work, as a status of the interface and a sentence.
public struct PluginError: Error, CustomStringConvertible, Sendable {
    /// What kind of error it is. Open: hosts may have more.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }

        public static let failed = Code(rawValue: 1)
        /// An argument makes no sense.
        public static let invalidArgument = Code(rawValue: 2)
        /// Something that was named is not there.
        public static let notFound = Code(rawValue: 3)
        /// The run was cancelled.
        public static let cancelled = Code(rawValue: 4)
        /// Not possible with this host, model or state.
        public static let unsupported = Code(rawValue: 5)
        /// A limit was reached.
        public static let limit = Code(rawValue: 6)
    }

    public let code: Code
    /// Names the thing, what was expected and what came.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}

/// What functions return, as the type that they return: C's enumeration is of another.
enum Status {
    static let ok = auscult_status(AUSCULT_OK)
    static let failed = auscult_status(AUSCULT_FAILED)
    static let invalidArgument = auscult_status(AUSCULT_INVALID_ARGUMENT)
}

/// A C string, of which nothing is believed but that it ends; "" for NULL.
package func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }

/// The first `count` elements; none where the pointer is NULL.
package func elements<Element>(_ pointer: UnsafePointer<Element>?, _ count: some BinaryInteger) -> UnsafeBufferPointer<
    Element
> {
    guard let pointer, let count = Int(exactly: count), count > 0 else {
        return UnsafeBufferPointer(start: nil, count: 0)
    }
    return UnsafeBufferPointer(start: pointer, count: count)
}

/// Refuses a struct of the host's that lacks members of version 1.0.
func requireSize<Struct>(_ size: UInt32, of type: Struct.Type, _ what: String) throws {
    try requireSize(size, atLeast: MemoryLayout<Struct>.size, what)
}

func requireSize(_ size: UInt32, atLeast least: Int, _ what: String) throws {
    guard size >= UInt32(least) else {
        throw PluginError(.unsupported, "the host's \(what) has \(size) bytes, expected at least \(least)")
    }
}
