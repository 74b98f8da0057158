import Client
import Messages
import Results
import StrictJSON
import TerminalText

extension V1.AtlasScan {
    /// What a scan into an atlas has found; the atlas has the rest.
    func text(_ format: ResultFormat) -> String {
        guard format == .text else { return json.text }
        var table = TextTable("HOOK", "FEATURES")
        for hook in hooks { table.append(PrintedText.safe(hook.hook), String(hook.features)) }
        let left = problems.isEmpty ? "" : ", \(problems.count) left out"
        return PrintedText.safe("scan \(id): \(model), \(recordings) recordings\(left)") + "\n\(table.text)"
    }

    private var json: JSON {
        [
            "id": .integer(Int(id)), "model": .string(model), "model_sha256": .string(modelSha256),
            "data_set": .string(dataSet), "recordings": JSON(recordings), "plugin": .string(plugin),
            "version": .string(pluginVersion),
            "hooks": .array(hooks.map { ["hook": .string($0.hook), "features": JSON($0.features)] }),
            "problems": .array(problems.map { ["recording": .string($0.file), "reason": .string($0.reason)] }),
        ]
    }
}

extension V1.BuildAtlasEvent: StreamEvent {
    package var subscription: String? { if case .started(let started)? = event { started.subscriptionId } else { nil } }
}
