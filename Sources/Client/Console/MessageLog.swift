import Logging

/// Writes log messages as the command's own words: `auscult: warning: …`.
package struct MessageLog: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package let console: Console

    package init(logLevel: Logger.Level, metadata: Logger.Metadata = [:], console: Console) {
        self.logLevel = logLevel
        self.metadata = metadata
        self.console = console
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        console.error("auscult: \(event.level): \(event.message)\n")
    }
}
