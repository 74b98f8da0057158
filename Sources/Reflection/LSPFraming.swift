/// Why bytes cannot be cut into messages any more; the connection is of no use after it.
package struct FramingError: Error, Sendable, Equatable, CustomStringConvertible {
    package let message: String
    package var description: String { message }
}

/// The framing of the Language Server Protocol: `Content-Length: N`, an empty line, and N bytes.
package enum LSPFraming {
    /// Bytes that a header may have, its empty line included.
    package static let maximumHeader = 8 << 10
    /// Bytes that a body may have.
    package static let maximumBody = 16 << 20

    /// `body` with its header.
    package static func frame(_ body: some Collection<UInt8>) -> [UInt8] {
        Array("Content-Length: \(body.count)\r\n\r\n".utf8) + body
    }

    /// Cuts what arrives, in pieces of any size, into messages.
    package struct Reader: Sendable {
        private var pending: [UInt8] = []
        /// Bytes of the header that have been looked at.
        private var scanned = 0
        /// Of the message whose header has been read.
        private var bodyLength: Int?
        private var failure: FramingError?

        package init() {}

        /// Whether the bytes so far end between two messages.
        package var isBetweenMessages: Bool { pending.isEmpty && bodyLength == nil }

        /// Takes what arrived.
        /// - Returns: the bodies that are complete now.
        /// - Throws: ``FramingError``, now and at every later call, where the header makes no sense or a bound is
        ///   passed. Messages before it in the same piece are lost; the peer that sends such bytes speaks another
        ///   protocol.
        package mutating func append(_ bytes: some Sequence<UInt8>) throws(FramingError) -> [[UInt8]] {
            if let failure { throw failure }
            pending.append(contentsOf: bytes)
            var bodies: [[UInt8]] = []
            var start = 0
            do {
                while let body = try next(from: &start) { bodies.append(body) }
            } catch {
                failure = error
                pending = []
                throw error
            }
            pending.removeFirst(start)
            return bodies
        }

        /// The message that begins at `start`, which moves behind it; nil where it is not complete.
        private mutating func next(from start: inout Int) throws(FramingError) -> [UInt8]? {
            if bodyLength == nil {
                guard let end = try endOfHeader(from: start) else { return nil }
                bodyLength = try Self.length(in: pending[start..<end])
                start = end
                scanned = 0
            }
            guard let length = bodyLength, pending.count - start >= length else { return nil }
            defer {
                start += length
                bodyLength = nil
            }
            return Array(pending[start..<(start + length)])
        }

        private mutating func endOfHeader(from start: Int) throws(FramingError) -> Int? {
            let blank: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
            var index = start + max(0, scanned - 3)
            let limit = min(pending.count, start + LSPFraming.maximumHeader)
            while index + 4 <= limit {
                if pending[index..<(index + 4)].elementsEqual(blank) { return index + 4 }
                index += 1
            }
            scanned = limit - start
            guard scanned < LSPFraming.maximumHeader else {
                throw FramingError(
                    message: "no empty line in the first \(LSPFraming.maximumHeader) bytes of a message's header")
            }
            return nil
        }

        private static func length(in header: ArraySlice<UInt8>) throws(FramingError) -> Int {
            var length: Int?
            for line in String(decoding: header, as: UTF8.self).split(whereSeparator: { $0 == "\r\n" }) {
                guard let colon = line.firstIndex(of: ":") else {
                    throw FramingError(message: "expected a header 'Name: value', found '\(line.prefix(60))'")
                }
                guard line[..<colon].lowercased() == "content-length" else { continue }
                let text = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
                let digits = text.prefix { $0.isASCII && $0.isNumber }
                guard !digits.isEmpty, text[digits.endIndex...].allSatisfy({ $0 == " " || $0 == "\t" }) else {
                    throw FramingError(message: "expected a number as Content-Length, found '\(text.prefix(60))'")
                }
                // Digits that do not fit an Int are too many as well.
                guard let value = Int(digits), value <= LSPFraming.maximumBody else {
                    throw FramingError(
                        message: "a Content-Length of \(digits.prefix(60)); at most \(LSPFraming.maximumBody) is read")
                }
                guard length == nil || length == value else {
                    throw FramingError(message: "two headers Content-Length that differ")
                }
                length = value
            }
            guard let length else { throw FramingError(message: "a message without the header Content-Length") }
            return length
        }
    }
}
