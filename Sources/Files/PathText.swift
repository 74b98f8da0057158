import Foundation

/// File names as text. To the system a name is bytes, of which not all are UTF-8; messages, manifests and results are
/// text. So a byte that is not part of UTF-8 becomes the character U+EF00 + byte (U+EF80 to U+EFFF, of the private use
/// area), and a name that has such a character itself has the bytes of it written so. Every name has one text, and
/// every text one name.
public enum PathText {
    private static let escapes: ClosedRange<UInt32> = 0xEF80...0xEFFF

    /// The text of a name.
    public static func text(_ bytes: some Collection<UInt8>) -> String {
        if let plain = String(validating: bytes, as: UTF8.self), !hasEscapes(plain) { return plain }
        var text = String.UnicodeScalarView()
        var rest = Array(bytes)[...]
        while let first = rest.first {
            // The scalar that begins here, where one does and is none of ours.
            let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
            let whole = rest.prefix(length)
            if let scalar = String(validating: whole, as: UTF8.self)?.unicodeScalars.first,
                !escapes.contains(scalar.value)
            {
                text.append(scalar)
                rest = rest.dropFirst(length)
            } else {
                text.append(escape(first))
                rest = rest.dropFirst()
            }
        }
        return String(text)
    }

    /// The name that a text stands for.
    public static func bytes(_ text: String) -> [UInt8] {
        guard hasEscapes(text) else { return Array(text.utf8) }
        return text.unicodeScalars.flatMap { scalar -> [UInt8] in
            escapes.contains(scalar.value) ? [UInt8(scalar.value & 0xFF)] : Array(String(scalar).utf8)
        }
    }

    /// Calls `body` with the name, for the system.
    public static func withName<R>(_ text: String, _ body: (UnsafePointer<CChar>) throws -> R) rethrows -> R {
        guard hasEscapes(text) else { return try text.withCString(body) }
        return try (bytes(text) + [0]).withUnsafeBufferPointer { name in
            try name.withMemoryRebound(to: CChar.self) { try body($0.baseAddress.unsafelyUnwrapped) }
        }
    }

    /// A text for people: bytes as `\xFF`.
    public static func shown(_ text: String) -> String {
        guard hasEscapes(text) else { return text }
        return text.unicodeScalars.map { scalar in
            escapes.contains(scalar.value)
                ? "\\x" + String(scalar.value & 0xFF, radix: 16, uppercase: true) : String(scalar)
        }.joined()
    }

    private static func hasEscapes(_ text: String) -> Bool {
        // All of U+EF80 … U+EFFF begin with these bytes; most names have none of them.
        text.utf8.contains(0xEE) && text.unicodeScalars.contains { escapes.contains($0.value) }
    }

    private static func escape(_ byte: UInt8) -> Unicode.Scalar {
        // Bytes from 0x80 on, which are all that are escaped.
        Unicode.Scalar(UInt32(0xEF00) | UInt32(byte)) ?? "\u{FFFD}"
    }
}
