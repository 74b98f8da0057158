import ArgumentParser
import Client
import Foundation
import Messages
import Results
import StrictJSON
import Wire

/// `auscult jobs`: work that the daemon does by itself.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "List, watch and cancel the daemon's jobs, and fetch their results.",
        discussion: """
              auscult transcribe talk.mp3 --detach
              auscult jobs
              auscult jobs watch ID
              auscult jobs result ID --format srt > talk.srt

            A job goes on after the command that started it has ended. Its result is kept until it is forgotten, until \
            256 newer jobs have ended, or until the daemon stops.
            """,
        subcommands: [List.self, Watch.self, Result.self, Cancel.self, Forget.self], defaultSubcommand: List.self)
}

/// What the commands about one job share.
struct JobOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The job's id.", valueName: "id")) var id: String
}

extension JobsCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the jobs, oldest first.")

        @OptionGroup var format: FormatOption
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            let jobs = try await connection.use(Verbosity.notices) { try await $0.call(V1.JobRPC.list, .init()).jobs }
            switch format.format {
            case .text: try Console.current.print(V1.JobInfo.table(jobs))
            case .json: try Console.current.print(JSON.array(jobs.map(\.json)).text)
            }
        }
    }

    struct Watch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Follow a job from its beginning until it ends.",
            discussion: """
                The text format shows the segments of a transcript, or the results of a plugin, as they come; \
                JSON has one object per event, each on a line. The exit status is the job's: 0 where it succeeded. \
                Ending the command does not end the job.
                """)

        @OptionGroup var job: JobOptions
        @OptionGroup var format: FormatOption
        @OptionGroup var verbosity: Verbosity
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            var last: V1.JobInfo?
            var results = WatchedResults(format.format)
            let style = TerminalStyle(environment: Console.current.environment)
            let line = verbosity.progress
            defer { line.clear() }
            try await connection.use(verbosity.logger) { daemon in
                let request = V1.WatchJobRequest(id: job.id)
                try await daemon.events(V1.JobRPC.watch, request) { message in
                    if case .state(let info)? = message.event { last = info }
                    guard case .plugin(let told)? = message.event else { return try show(message, line) }
                    if let event = told.event, let text = try results.text(event, style) {
                        line.clear()
                        try Console.current.output(text)
                    }
                }
            }
            line.clear()
            guard let last, last.state.hasEnded else {
                throw CommandError(.unavailable, "the daemon stopped before the job \(job.id) had ended")
            }
            if let error = last.failure { throw error }
        }

        private func show(_ message: V1.JobEvent, _ line: ProgressLine) throws {
            guard format.format == .text else {
                line.clear()
                return try Console.current.print(message.json.compactText)
            }
            switch message.event {
            case .segment(let segment)?:
                line.clear()
                try Console.current.output(segment.line(timestamps: false))
            case .progress(let progress)?: line.show(job.id, progress) { "\($0) \(progress.unit)" }
            case .state(let info)?: verbosity.logger.debug("\(info.id): \(info.state.name)")
            case .plugin?, .started?, nil: break
            }
        }
    }

    struct Result: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the result of a job that has ended.",
            discussion: """
                A transcript has the formats of 'auscult transcribe', but JSON is one object; for a trace, whose \
                tensors are in a file, the summary is printed. The exit status is 75 while the job is not done, and \
                the job's own where it failed.
                """)

        @OptionGroup var job: JobOptions
        @Option(name: [.short, .long], help: "The output format.") var format = TranscriptFormat.text
        @Option(
            name: [.short, .long],
            help: ArgumentHelp(
                "Write a plugin's results into this folder, as 'auscult run' does.", valueName: "folder"),
            completion: .directory)
        var out: String?
        @Flag(help: "Show each segment's times in the text form.") var timestamps = false
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            try await connection.use(Verbosity.notices) { daemon in
                let info = try await daemon.call(V1.JobRPC.get, V1.JobRef(id: job.id))
                guard info.kind == "plugin", info.state.hasEnded else {
                    return try show(try await daemon.call(V1.JobRPC.result, V1.JobRef(id: job.id)).result)
                }
                try await showRun(daemon)
            }
        }

        private func show(_ result: V1.JobResult.Result?) throws {
            switch result {
            case .transcript(let transcript)?:
                try Console.current.output(transcript.text(format, timestamps: timestamps))
            case .trace(let summary)?:
                guard let form = ResultFormat(rawValue: format.rawValue) else {
                    throw CommandError(.usage, "the job \(job.id) is a trace, which has no \(format.rawValue) form")
                }
                try Console.current.print(summary.text(form))
            case .atlas(let scan)?:
                guard let form = ResultFormat(rawValue: format.rawValue) else {
                    throw CommandError(
                        .usage, "the job \(job.id) is a scan into an atlas, which has no \(format.rawValue) form")
                }
                try Console.current.print(scan.text(form))
            case .plugin?, nil:
                throw CommandError(.failure, "the daemon gave a result for \(job.id) that this program does not know")
            }
        }

        /// The results of a plugin's run, which may be of any size.
        private func showRun(_ daemon: DaemonConnection) async throws {
            guard let form = PluginFormat(rawValue: format.rawValue) else {
                throw CommandError(
                    .usage, "the job \(job.id) is a plugin's run, which has no \(format.rawValue) form")
            }
            var printer = try RunPrinter(
                out == nil || form != .text ? form : nil, out: out, Verbosity.notices,
                ProgressLine(Console.current, quiet: true), label: job.id)
            defer { printer.clear() }
            try await daemon.events(V1.JobRPC.results, V1.JobRef(id: job.id)) { try printer.take($0) }
            try await printer.finish()
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Cancel a job; no error where it has ended already.")

        @OptionGroup var job: JobOptions
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            let info = try await connection.use(Verbosity.notices) {
                try await $0.call(V1.JobRPC.cancel, V1.JobRef(id: job.id))
            }
            try Console.current.print("\(info.id): \(info.state.hasEnded ? info.state.name : "asked to stop")")
        }
    }

    struct Forget: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a job that has ended, with its result.")

        @OptionGroup var job: JobOptions
        @OptionGroup(title: "Daemon") var connection: ConnectionOptions

        func run() async throws {
            _ = try await connection.use(Verbosity.notices) {
                try await $0.call(V1.JobRPC.forget, V1.JobRef(id: job.id))
            }
            try Console.current.print("forgot \(job.id)")
        }
    }
}
