import Client
import Digests
import Files
import Foundation
import Messages
import Results
import Wire

extension Reproduction {
    /// Fetches the sounds that the findings ask for, into files beside the page; those that are there already stay.
    ///
    /// A sound that cannot be had is left out: the numbers do not need it.
    func fetchSounds(_ report: inout SectionReport, _ folder: String) async throws {
        let requests = report.findings.listening.flatMap(\.sounds)
        guard !requests.isEmpty else { return }
        try DataFolder.create("\(folder)/sounds")
        defer { line.clear() }
        let samples = Dictionary(samples.samples.map { ($0.name, $0) }) { first, _ in first }
        var problems: Set<String> = []
        for (index, request) in requests.enumerated() where report.sounds[request] == nil {
            line.show("\(report.section.id): sounds", done: index, total: requests.count) { "\($0)" }
            guard let sample = samples[request.sample] else { continue }
            do {
                report.sounds[request] = try await sound(request, sample, "\(report.section.id)/sounds")
            } catch let error as WireError {
                problems.insert(error.message)
            }
        }
        report.findings.notes += problems.sorted().map { "A sound is missing: \($0)" }
    }

    private func sound(_ request: SoundRequest, _ sample: Sample, _ folder: String) async throws -> SoundFile {
        let key = try SHA256.hex(
            of: Array("\(sample.digest) \(request.start) \(request.end ?? -1) \(request.moment ?? .max)".utf8))
        let stem = SafeNames.safe(((sample.name as NSString).lastPathComponent as NSString).deletingPathExtension)
        let path = "\(folder)/\(stem)-\(key.prefix(12)).flac"
        if !isFresh, let bytes = FileManager.default.contents(atPath: "\(out)/\(path)"), !bytes.isEmpty {
            return SoundFile(path: path, bytes: Array(bytes))
        }
        let bytes = try await excerpt(request, sample)
        try PendingFile.write(bytes, to: "\(out)/\(path)")
        return SoundFile(path: path, bytes: bytes)
    }

    private func excerpt(_ request: SoundRequest, _ sample: Sample) async throws -> [UInt8] {
        var excerpt = V1.ExcerptRequest(audio: sample.source, format: .flac)
        if request.start > 0 || request.end != nil { excerpt.span = V1.Span(start: request.start, end: request.end) }
        excerpt.moment = request.moment.map { V1.Moment(frame: $0) }
        return try await daemon.call(V1.AudioRPC.excerpt, excerpt).data
    }
}

extension Listening {
    /// What it plays.
    var sounds: [SoundRequest] {
        switch self {
        case .recording(let card): [card.sound]
        case .table(let table):
            table.rows.joined().flatMap { cell -> [SoundRequest] in
                if case .sounds(let moments) = cell { moments.map(\.sound) } else { [] }
            }
        }
    }
}
