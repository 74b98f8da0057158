/// What went wrong in a command itself, before or beside the daemon's work.
package struct CommandError: Error, CustomStringConvertible {
    package let status: ExitStatus
    package let message: String

    package init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    package var description: String { message }
}

/// `auscult: error: …`, on one line whatever the error says.
/// - Parameter name: what it is about, told where the error itself does not.
package func errorMessage(_ error: any Error, about name: String = "") -> String {
    let text = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
    return "auscult: error: " + (name.isEmpty || text.contains(name) ? text : "\(name): \(text)")
}
