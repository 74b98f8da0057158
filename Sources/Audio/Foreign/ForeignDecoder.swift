import Glibc

/// ffmpeg, for what libsndfile does not read: a process of its own that is given the file and gives samples through a
/// pipe, in the words that openai/whisper uses, so that the samples are the same.
struct ForeignDecoder {
    private let program: String
    private let options: ReadingOptions

    /// Nil where none is in the search path.
    init?(_ options: ReadingOptions) {
        let places = options.searchPath.split(separator: ":").map { "\($0)/ffmpeg" }
        guard let program = places.first(where: { $0.hasPrefix("/") && access($0, X_OK) == 0 }) else { return nil }
        self.program = program
        self.options = options
    }

    /// Decodes the first sound in `bytes` to 16 kHz mono.
    /// - Parameter sink: takes samples as they come, and says whether it wants more.
    /// - Returns: what ffmpeg complained of though it gave something.
    /// - Throws: ``AudioError`` with ffmpeg's own words; where it stands still, and where it gives without end.
    func decode(
        _ bytes: RecordingBytes, name: String, _ sink: (UnsafeBufferPointer<Float>) throws -> Bool
    ) throws -> String? {
        let input = try bytes.descriptor ?? TemporaryFile(holding: name).filled(with: bytes)
        defer { if bytes.descriptor == nil { close(input) } }
        let child = try ChildProgram(
            program,
            [
                "-nostdin", "-hide_banner", "-v", "error",
                // No file but this one, whatever the file says.
                "-protocol_whitelist", "file", "-i", "/proc/self/fd/3", "-map", "0:a:0?", "-vn", "-sn", "-dn",
                "-f", "s16le", "-ac", "1", "-acodec", "pcm_s16le", "-ar", "\(SampleBuffer.sampleRate)", "-",
            ], descriptor3: input, name: name)
        let most = Int(options.longestForeign * Double(SampleBuffer.sampleRate))
        var (count, half, wantsMore) = (0, [UInt8](), true)
        while wantsMore {
            let piece: [UInt8]
            switch try child.read(patience: options.patience) {
            case .bytes(let read): piece = half + read
            case .end:
                return try end(child.wait(patience: options.patience), child.complaint, gave: count, name)
            case .nothing:
                throw AudioError(
                    .unavailable, "\(name): ffmpeg gave nothing for \(options.patience) s, and was ended")
            }
            let samples = RawSamples.int16(piece)
            half = piece.count % 2 == 0 ? [] : [piece[piece.count - 1]]
            count += samples.count
            guard count <= most else {
                throw AudioError(
                    .unsupported, "\(name): ffmpeg gives more than \(options.longestForeign / 3600) h of sound")
            }
            wantsMore = try samples.withUnsafeBufferPointer(sink)
        }
        return nil
    }

    private func end(_ status: Int32?, _ complaint: String, gave count: Int, _ name: String) throws -> String? {
        if status == 0 { return complaint.isEmpty ? nil : complaint }
        let how = status.map { "ended with \($0)" } ?? "did not end"
        let words = complaint.isEmpty ? "ffmpeg \(how)" : complaint
        guard count > 0 else { throw AudioError(.dataLoss, "\(name): ffmpeg cannot decode it: \(words)") }
        return words
    }
}

extension TemporaryFile {
    /// A descriptor of the file with these bytes in it; the caller closes it.
    fileprivate func filled(with bytes: RecordingBytes) throws -> Int32 {
        var (offset, piece) = (0, [UInt8](repeating: 0, count: 1 << 16))
        while offset < bytes.size {
            let count = piece.withUnsafeMutableBytes { bytes.copy(from: offset, into: $0) }
            guard count > 0 else { break }
            try piece.withUnsafeBytes { try append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            offset += count
        }
        return try duplicate()
    }
}
