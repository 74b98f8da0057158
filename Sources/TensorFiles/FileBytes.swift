import Glibc

/// Read-only bytes of a file, or of a part of one: mapped from disk or lying in memory.
///
/// A value keeps the memory behind it alive. All access to what a file says goes through ``slice(_:_:of:)``
/// and ``ByteCursor``, which check every range and throw.
///
/// Sendable: nobody writes to the memory while a value refers to it.
public struct FileBytes: @unchecked Sendable {
    /// What messages call it: the path, and the entry where it is a part of an archive.
    public let name: String
    /// The memory.
    ///
    /// Only while a value that refers to the memory is alive: outside of methods of such a value, take
    /// ``withUnsafeBytes(_:)`` or ``array``.
    package let buffer: UnsafeRawBufferPointer
    /// Keeps `buffer` alive; tensors that are views of it hold it too.
    package let owner: AnyObject

    /// Bytes that `owner` keeps alive and nobody changes.
    public init(name: String, viewing buffer: UnsafeRawBufferPointer, owner: AnyObject) {
        self.name = name
        self.buffer = buffer
        self.owner = owner
    }

    /// Bytes that live as long as the process: data in the executable.
    public init(name: String, static buffer: UnsafeRawBufferPointer) {
        self.init(name: name, viewing: buffer, owner: StaticMemory.shared)
    }

    /// A copy of `bytes`.
    public init(name: String, copying bytes: some Collection<UInt8>) {
        let memory = OwnedMemory(bytes)
        self.init(name: name, viewing: memory.buffer, owner: memory)
    }

    public var count: Int { buffer.count }

    /// Lets the system have the memory of a mapped file; what is looked at again is read again.
    package func rest() { (owner as? MappedFile)?.rest(buffer) }

    /// The bytes, copied.
    public var array: [UInt8] { withUnsafeBytes { Array($0) } }

    /// Runs `body` with the memory, which stays alive until it returns.
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try withExtendedLifetime(owner) { try body(buffer) }
    }

    /// `count` bytes from `offset`, which a file named.
    /// - Throws: ``TensorFileError`` (`dataLoss`) where they do not lie inside.
    package func slice(_ offset: Int, _ count: Int, of what: @autoclosure () -> String) throws -> FileBytes {
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard offset >= 0, count >= 0, !overflow, end <= buffer.count else {
            throw TensorFileError(
                .dataLoss,
                "\(name): \(what()) needs \(count) bytes from byte \(offset), but there are only \(buffer.count)")
        }
        return FileBytes(name: name, viewing: UnsafeRawBufferPointer(rebasing: buffer[offset..<end]), owner: owner)
    }

    /// The same bytes under another name.
    package func named(_ name: String) -> FileBytes { FileBytes(name: name, viewing: buffer, owner: owner) }

    /// The little-endian integer at `offset`, or nil where the bytes end before.
    package func integer<T: FixedWidthInteger>(at offset: Int, as type: T.Type) -> T? {
        guard offset >= 0, offset <= count - MemoryLayout<T>.size else { return nil }
        return T(littleEndian: buffer.loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    package func hasSameBytes(as other: FileBytes) -> Bool {
        withUnsafeBytes { mine in
            other.withUnsafeBytes { theirs in
                guard mine.count == theirs.count, let a = mine.baseAddress, let b = theirs.baseAddress else {
                    return mine.count == theirs.count
                }
                return a == b || memcmp(a, b, mine.count) == 0
            }
        }
    }

    package func starts(with prefix: some Sequence<UInt8>) -> Bool { buffer.starts(with: prefix) }
}

/// The owner of memory that needs none.
private final class StaticMemory: Sendable {
    static let shared = StaticMemory()
}

/// A copy of some bytes, 64-byte aligned as a tensor's own memory is.
private final class OwnedMemory {
    let buffer: UnsafeRawBufferPointer

    init(_ bytes: some Collection<UInt8>) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        copy.copyBytes(from: bytes)
        self.buffer = UnsafeRawBufferPointer(copy)
    }

    deinit { buffer.deallocate() }
}
