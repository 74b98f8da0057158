import Files
import PluginHost

/// What can be known of a run before its first recording is heard, and is better said then.
extension PluginRun {
    func check(_ needs: PluginNeedsValue) throws {
        if !needs.nothingToHear, recordings.recordings.isEmpty, recordings.broken.isEmpty, request.shard == nil {
            throw ServiceError(.invalidArgument, "\(plugin.id) needs recordings; the request names none")
        }
        if needs.labels, !recordings.recordings.isEmpty, !recordings.recordings.contains(where: { $0.item.isLabelled })
        {
            throw ServiceError(
                .mismatch,
                "\(plugin.id) needs labels or alignments; none of the \(recordings.recordings.count) recordings has any"
            )
        }
        if needs.oneRun {
            if let shard = request.shard, shard.count > 1 {
                throw ServiceError.oneRun(plugin.id, "heard in shards (\(shard.index + 1) of \(shard.count))")
            }
            if request.workers > 1 {
                throw ServiceError.oneRun(plugin.id, "run by \(request.workers) workers")
            }
        }
        guard needs.hasState || !request.keepsState else {
            throw stateless(request.returnsState ? "give it back" : "keep a state in a file")
        }
    }

    /// - Throws: ``ServiceError`` (`mismatch`) for an argument that names no column of the recordings, or one of too few values.
    func checkColumns(_ parameters: [PluginParameter], _ arguments: [PluginArgument]) throws {
        let columns = recordings.columns
        guard recordings.total > 0 else { return }
        for parameter in parameters where parameter.kind == .column {
            guard let value = arguments.first(where: { $0.id == parameter.id })?.value,
                !parameter.choices.contains(value)
            else { continue }
            guard columns.names.contains(value) else {
                let others = parameter.choices.isEmpty ? "" : "; or \(parameter.choices.joined(separator: ", "))"
                let near = nearestNames(to: value, in: columns.names).first.map { " (nearest: \($0))" } ?? ""
                throw ServiceError(
                    .mismatch,
                    "\(parameter.id) of \(plugin.id) is '\(value)', which is no column of the \(recordings.total) recordings\(near); "
                        + "they have \(columns.names.isEmpty ? "none" : columns.names.joined(separator: ", "))\(others)"
                )
            }
            let (there, needed) = (columns.values(of: value), Int(parameter.minimum ?? 0))
            guard there >= needed else {
                throw ServiceError(
                    .mismatch,
                    "\(parameter.id) of \(plugin.id) needs a column of at least \(needed) different values; '\(value)' has "
                        + "\(there), in \(columns.recordings(with: value)) of the \(recordings.total) recordings: "
                        + "\(needed - there) more needed")
            }
        }
    }

    func stateless(_ wish: String) -> ServiceError {
        ServiceError(.mismatch, "\(plugin.id) saves no state, so it cannot \(wish)")
    }
}

extension ServiceError {
    /// For an analysis that cannot be put together from parts; better said before the work than after it.
    static func oneRun(_ plugin: String, _ wish: String) -> ServiceError {
        ServiceError(
            .mismatch,
            "\(plugin) needs all recordings in one run, since two of its states cannot be put together: it cannot be "
                + "\(wish). One run with one worker can be interrupted and resumed (checkpoint)")
    }
}
