import Files

extension RecordingBytes {
    /// The bytes of a file.
    /// - Throws: ``AudioError`` for what is no regular file, which is never waited for, and for an empty one.
    static func open(_ path: String, name: String) throws -> RecordingBytes {
        do {
            let file = try FileDescriptor(reading: path, name: name)
            guard try file.size > 0 else { throw empty(name) }
            return RecordingBytes(owning: try file.duplicate())
        } catch let error as FileError {
            throw AudioError(
                [.notFound, .invalidArgument].contains(error.code) ? error.code : .unavailable, error.message)
        }
    }

    static func empty(_ name: String) -> AudioError {
        AudioError(.dataLoss, "\(name): is empty (0 bytes); expected a sound file")
    }
}
