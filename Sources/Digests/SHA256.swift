import COpenSSL
import Files
import Foundation

/// SHA-256 (FIPS 180-4) by libcrypto, fed piece by piece.
public struct SHA256: ~Copyable {
    private let context: OpaquePointer

    public init() throws {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            throw FileError(.unavailable, "libcrypto cannot compute SHA-256 on this machine")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    public func update(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// The digest of all bytes so far in lower-case hexadecimal. Call it once.
    public consuming func finish() -> String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        EVP_DigestFinal_ex(context, &digest, &count)
        return digest.prefix(Int(count)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// The digest of the concatenation of `files`, read in pieces of 1 MiB.
    public static func hex(ofFiles files: [String]) throws -> String {
        let hash = try SHA256()
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { piece.deallocate() }
        for path in files {
            let file = try FileDescriptor(reading: path)
            while true {
                let count = read(file.number, piece.baseAddress, piece.count)
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { throw FileError.cannotRead(path) }
                if count == 0 { break }
                hash.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
                try Task.checkCancellation()
            }
        }
        return hash.finish()
    }

    public static func hex(of bytes: some ContiguousBytes) throws -> String {
        let hash = try SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }
}
