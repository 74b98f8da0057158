import Daemon
import Files
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@Suite("The daemon's log") struct LogBackendTests {
    private func lines(
        _ format: LogFormat = .text, label: String = "connection 3", isJournal: Bool = false,
        level: Logger.Level = .trace, _ body: (inout Logger) -> Void
    ) -> String {
        let written = Mutex("")
        var logger = Logger(label: label) { label in
            LogBackend(
                label: label, level: level, format: format, isJournal: isJournal,
                now: { Date(timeIntervalSince1970: 1_767_225_600.25) },
                output: { line in written.withLock { $0 += line } })
        }
        body(&logger)
        return written.withLock { $0 }
    }

    @Test("a line has the time, the level, the label, the message, and metadata in order of their names")
    func text() {
        let text = lines { logger in
            logger[metadataKey: "peer"] = "42"
            logger.notice("closed", metadata: ["reason": "no progress", "bytes": "\(17)", "empty": ""])
            logger.warning("again", metadata: ["peer": "a=b"])
        }
        #expect(
            text == """
                2026-01-01T00:00:00.250Z notice connection 3: closed bytes=17 empty="" peer=42 reason="no progress"
                2026-01-01T00:00:00.250Z warning connection 3: again peer="a=b"

                """)
    }

    @Test("an event below the level is not written")
    func level() {
        let text = lines(level: .warning) { logger in
            logger.notice("no")
            logger.error("yes")
        }
        #expect(text == "2026-01-01T00:00:00.250Z error connection 3: yes\n")
    }

    @Test("nothing that a peer sends breaks a line or steers a terminal", arguments: [false, true])
    func escapes(isJournal: Bool) {
        let hostile = "a\nb\r\u{1B}[31m\u{2028}\u{202E}\0\"é"
        let text = lines(label: "x\ny", isJournal: isJournal) {
            $0.notice("\(hostile)", metadata: ["k\n": "\(hostile)"])
        }
        #expect(text.filter(\.isNewline) == "\n")
        #expect(
            text.unicodeScalars.allSatisfy { $0 == "\n" || ($0.value >= 32 && $0 != "\u{2028}" && $0 != "\u{202E}") })
        let escaped = "a\\nb\\u{d}\\u{1b}[31m\\u{2028}\\u{202e}\\u{0}"
        #expect(text.hasSuffix("x\\ny: \(escaped)\"é k\\n=\"\(escaped)\\\"é\"\n"))
    }

    @Test("as JSON every event is an object on a line")
    func json() throws {
        let text = lines(.json) { logger in
            logger.notice("closed \"now\"\n", metadata: ["b": ["x", "y"], "a": "1"])
            logger.debug("plain")
        }
        let objects = try text.split(separator: "\n").map { line in
            try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(objects.count == 2)
        #expect(objects.first?["time"] as? String == "2026-01-01T00:00:00.250Z")
        #expect(objects.first?["level"] as? String == "notice")
        #expect(objects.first?["label"] as? String == "connection 3")
        #expect(objects.first?["message"] as? String == "closed \"now\"\n")
        #expect(objects.first?["metadata"] as? [String: String] == ["a": "1", "b": "[\"x\", \"y\"]"])
        #expect(objects.last?["metadata"] == nil)
    }

    @Test("in the journal the level is a prefix, and the time is the journal's")
    func journal() {
        let levels = Logger.Level.allCases
        let text = lines(isJournal: true) { logger in for level in levels { logger.log(level: level, "m") } }
        let expected = [7, 7, 6, 5, 4, 3, 2].map { "<\($0)>connection 3: m\n" }.joined()
        #expect(text == expected)
        #expect(lines(.json, isJournal: true) { $0.error("m") }.hasPrefix("<3>{"))
    }

    @Test("the journal is where JOURNAL_STREAM names the file that is written to")
    func journalStream() throws {
        let folder = try TemporaryFolder()
        let file = try FileDescriptor(folder("log"), O_WRONLY | O_CREAT)
        var status = stat()
        #expect(fstat(file.number, &status) == 0)
        func isJournal(_ stream: String?) -> Bool {
            LogBackend.isJournal(environment: stream.map { ["JOURNAL_STREAM": $0] } ?? [:], descriptor: file.number)
        }
        #expect(isJournal("\(status.st_dev):\(status.st_ino)"))
        #expect(!isJournal("\(status.st_dev):\(status.st_ino + 1)"))
        #expect(!isJournal(nil))
        for nonsense in ["", ":", "x:y", "1", "1:2:3", "-1:-1"] { #expect(!isJournal(nonsense)) }
    }
}
