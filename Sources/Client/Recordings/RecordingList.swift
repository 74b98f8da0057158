import Files
import Foundation
import Messages
import Wire

extension V1.RecordingsEvent: StreamEvent {
    package var subscription: String? { if case .started(let started)? = event { started.subscriptionId } else { nil } }
}

/// The recordings that a command line names: files and clips, and those of folders and manifests, which the daemon lists.
package struct RecordingList {
    package var recordings: [RecordingArgument] = []
    /// What cannot be found or describes no recording: the argument that it comes from, and what to say.
    package var failures: [(name: String, error: any Error)] = []
    /// What else there is to know: files that were left out, keys that nothing is made of.
    package var notices: [String] = []
    /// Whether an argument stands for several recordings.
    package var hasDataSets = false

    /// - Throws: ``CommandError`` for standard input twice; what the daemon says where it cannot be asked.
    package init(_ arguments: [String], _ daemon: DaemonConnection) async throws {
        guard arguments.count(where: { $0 == "-" }) <= 1 else {
            throw CommandError(.usage, "'-' is standard input, which can be read only once")
        }
        for argument in arguments {
            do {
                if argument != RecordingArgument.clipPrefix, RecordingArgument.isDataSet(argument) {
                    hasDataSets = true
                    try await add(dataSet: argument, daemon)
                } else {
                    recordings += try await RecordingArgument.all(from: [argument], daemon)
                }
            } catch let error as CommandError where arguments.count > 1 {
                failures.append((argument, error))
            } catch let error as WireError where arguments.count > 1 && Self.concernsOne(error) {
                failures.append((argument, error))
            }
        }
    }

    private static func concernsOne(_ error: WireError) -> Bool {
        switch ExitStatus(of: error) {
        case .usage, .badData, .noInput: true
        default: false
        }
    }

    private mutating func add(dataSet argument: String, _ daemon: DaemonConnection) async throws {
        let request = V1.ListRecordingsRequest(dataSets: [absolutePath(argument)])
        var found: [RecordingArgument] = []
        var lost: [String] = []
        var told: [String] = []
        try await daemon.events(V1.RecordingsRPC.list, request) { message in
            switch message.event {
            case .recording(let info)?:
                guard case .path(let path)? = info.source else { break }
                found.append(
                    RecordingArgument(name: Self.name(info.name, path, argument), place: .file(path), span: info.span))
            case .skipped(let skipped)?: lost.append(skipped.reason)
            case .notice(let notice)?: told.append("\(notice.file): \(notice.notice?.text ?? "")")
            case .started?, .end?, nil: break
            }
        }
        recordings += found
        notices += told
        failures += lost.map { (argument, CommandError(.badData, $0)) }
        if found.isEmpty, lost.isEmpty {
            failures.append((argument, CommandError(.noInput, "there is no recording in \(argument)")))
        }
    }

    /// A file of a folder as a shell would name it; of a manifest as it is written there.
    private static func name(_ name: String, _ path: String, _ argument: String) -> String {
        let folder = argument.hasSuffix("/") ? argument : argument + "/"
        return path == absolutePath(folder) + name ? folder + name : name
    }
}
