import Logging

/// Writes log messages as the command's own words: `auscult: warning: …`.
struct MessageLog: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    let console: Console

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        console.error("auscult: \(event.level): \(event.message)\n")
    }
}
