import Foundation

/// What the first bytes of a file say that it is.
package struct FileSignature: Sendable {
    package enum Kind: Sendable {
        /// Sound that libsndfile reads.
        case sound
        /// Sound or video that ffmpeg reads.
        case media
        /// Anything else that is known.
        case other
    }

    /// For messages.
    package let name: String
    package let kind: Kind

    /// Bytes that are looked at.
    package static let headSize = 512

    /// That of a file; nil where it cannot be read, is not a regular one, or begins like nothing that is known.
    package init?(path: String) {
        let descriptor = PathText.withName(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        var head = [UInt8](repeating: 0, count: Self.headSize)
        let count = pread(descriptor, &head, head.count, 0)
        guard count > 0 else { return nil }
        self.init(Array(head[..<count]))
    }

    /// - Parameter head: the first bytes, ``headSize`` where there are so many.
    package init?(_ head: [UInt8]) {
        func has(_ tag: String, at offset: Int = 0) -> Bool { head.dropFirst(offset).starts(with: tag.utf8) }
        func has(_ bytes: [UInt8]) -> Bool { head.starts(with: bytes) }
        let media: String? =
            if has("ftyp", at: 4) || has("moov", at: 4) {
                "MP4, M4A or another of QuickTime's kin"
            } else if has([0x1A, 0x45, 0xDF, 0xA3]) { "WebM or Matroska" } else if has([0x30, 0x26, 0xB2, 0x75]) {
                "WMA or another of Windows Media"
            } else if has("#!AMR") { "AMR" } else if Self.isADTS(head) || has("ADIF") { "AAC" } else if has("FLV") {
                "FLV"
            } else if has("RIFF"), has("AVI ", at: 8) { "AVI" } else if has([0, 0, 1, 0xBA]) {
                "an MPEG program stream"
            } else if head.count > 376, [0, 188, 376].allSatisfy({ head[$0] == 0x47 }) {
                "an MPEG transport stream"
            } else if has(".RMF") { "RealMedia" } else if has("MAC ") { "Monkey's Audio" } else if has("wvpk") {
                "WavPack"
            } else if has("MPCK") || has("MP+") { "Musepack" } else if has("TTA1") { "True Audio" } else if has("DSD ")
            { "DSF" } else if has([0x0B, 0x77]), head.count > 5, head[5] >> 3 <= 16 {
                "AC-3"
            } else if has([0x7F, 0xFE, 0x80, 0x01]) { "DTS" } else { nil }
        if let media {
            (name, kind) = (media, .media)
            return
        }
        let sound: String? =
            if has("RIFF") || has("RF64") || has("BW64") { "WAV" } else if has("riff") { "W64" } else if has("fLaC") {
                "FLAC"
            } else if has("OggS") { "Ogg" } else if has("ID3") {
                "MP3"
            } else if has("FORM"), has("AIF", at: 8) || has("8SVX", at: 8) { "AIFF" } else if has(".snd") || has("dns.")
            { "AU" } else if has("caff") { "CAF" } else if has("NIST_1A") {
                "SPHERE"
            } else if has("Creative Voice File") { "VOC" } else if Self.isMPEG(head) { "MP3" } else { nil }
        if let sound {
            (name, kind) = (sound, .sound)
            return
        }
        let other: String? =
            if has("%PDF") { "PDF" } else if has([0x89]), has("PNG", at: 1) { "PNG" } else if has([0xFF, 0xD8, 0xFF]) {
                "JPEG"
            } else if has("PK\u{3}\u{4}") { "a zip archive" } else if has([0x1F, 0x8B]) {
                "gzip"
            } else if has([0x28, 0xB5, 0x2F, 0xFD]) { "zstd" } else if has([0x7F]), has("ELF", at: 1) {
                "a program"
            } else if has("SQLite format 3") { "an SQLite file" } else if Self.isText(head) { "text" } else { nil }
        guard let other else { return nil }
        (name, kind) = (other, .other)
    }

    /// Two frames in a row: a single one may be samples.
    private static func isADTS(_ head: [UInt8]) -> Bool {
        func length(at offset: Int) -> Int? {
            guard offset + 7 <= head.count, head[offset] == 0xFF, head[offset + 1] & 0xF6 == 0xF0 else { return nil }
            return Int(head[offset + 3] & 3) << 11 | Int(head[offset + 4]) << 3 | Int(head[offset + 5] >> 5)
        }
        guard let first = length(at: 0), first >= 7 else { return false }
        return first + 7 > head.count || length(at: first) != nil
    }

    /// The header of a frame of MPEG audio, all of whose fields make sense.
    private static func isMPEG(_ head: [UInt8]) -> Bool {
        head.count >= 4 && head[0] == 0xFF && head[1] & 0xE0 == 0xE0 && head[1] & 0x18 != 0x08 && head[1] & 0x06 != 0
            && head[2] & 0xF0 != 0xF0 && head[2] & 0xF0 != 0 && head[2] & 0x0C != 0x0C
    }

    private static func isText(_ head: [UInt8]) -> Bool {
        guard head.count >= 4 else { return false }
        // A character may be cut at the end.
        let whole =
            head.count < headSize ? head[...] : head.dropLast(min(3, head.reversed().prefix { $0 >= 0x80 }.count))
        return String(validating: whole, as: UTF8.self) != nil
            && whole.allSatisfy { $0 >= 0x20 || [0x09, 0x0A, 0x0C, 0x0D].contains($0) }
    }
}
