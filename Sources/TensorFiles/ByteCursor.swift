/// Reads little-endian values one after another and throws where the bytes end too early.
package struct ByteCursor {
    package let bytes: FileBytes
    package private(set) var offset: Int

    package init(_ bytes: FileBytes, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    package var remaining: Int { bytes.count - offset }

    /// The next integer; `what` says in the error what it would have been.
    package mutating func read<T: FixedWidthInteger>(_ type: T.Type, _ what: @autoclosure () -> String) throws -> T {
        guard let value = bytes.integer(at: offset, as: type) else { throw tooShort(what()) }
        offset += MemoryLayout<T>.size
        return value
    }

    /// The next `count` bytes, not copied.
    package mutating func take(_ count: Int, _ what: @autoclosure () -> String) throws -> FileBytes {
        guard count >= 0, count <= remaining else { throw tooShort(what(), needing: count) }
        defer { offset += count }
        return try bytes.slice(offset, count, of: what())
    }

    /// The next `count` bytes as text.
    package mutating func text(_ count: Int, _ what: @autoclosure () -> String) throws -> String {
        let start = offset
        let raw = try take(count, what())
        guard let text = raw.withUnsafeBytes({ String(validating: $0, as: UTF8.self) }) else {
            throw TensorFileError(.dataLoss, "\(bytes.name): \(what()) at byte \(start) is not UTF-8")
        }
        return text
    }

    private func tooShort(_ what: String, needing count: Int? = nil) -> TensorFileError {
        let need = count.map { " of \($0) bytes" } ?? ""
        return TensorFileError(
            .dataLoss,
            "\(bytes.name): \(what)\(need) does not fit at byte \(offset) of \(bytes.count); is it truncated?")
    }
}

/// The product of `extents`, or nil where one is negative or the product does not fit.
///
/// For shapes that a file states: the check comes before any allocation or index.
package func checkedProduct(_ extents: some Sequence<Int>) -> Int? {
    var product = 1
    for extent in extents {
        let (next, overflow) = product.multipliedReportingOverflow(by: extent)
        guard extent >= 0, !overflow else { return nil }
        product = next
    }
    return product
}
