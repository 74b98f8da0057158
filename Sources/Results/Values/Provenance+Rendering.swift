import Messages
import StrictJSON

/// How a result was made, as text and as JSON: the same words wherever it is shown.
extension V1.Provenance {
    package var json: JSON {
        [
            "auscult": .string(version), "model": .string(model), "model_sha256": JSON(present: modelSha256),
            "precision": .string(precision.name), "context": .string(context.name),
            "padding": .string(padding.name), "interventions": JSON(interventions),
            "recordings": recordings?.json ?? .null, "plugin": plugin?.json ?? .null,
        ]
    }

    /// In a line, with what is not as it usually is spelled out.
    package var text: String {
        var parts: [String] = []
        if let plugin {
            let arguments = plugin.arguments.map { " \($0.id)=\($0.value)" }.joined()
            parts.append("\(plugin.id) \(plugin.version)\(arguments)")
        }
        if !model.isEmpty { parts.append("model \(model) (\(modelSha256.prefix(10))), \(precision.name)") }
        parts.append("context \(context.name), padding \(padding.name)")
        if !interventions.isEmpty { parts.append("changed: " + interventions.joined(separator: ", ")) }
        if let recordings { parts.append("recordings \(recordings.text)") }
        return "made by auscult \(version): " + parts.joined(separator: "; ")
    }
}

extension V1.RecordingSet {
    fileprivate var json: JSON {
        [
            "count": JSON(count), "sha256": JSON(present: sha256),
            "shard": shard.map { ["index": .integer(Int($0.index)), "count": .integer(Int($0.count))] } ?? .null,
        ]
    }

    fileprivate var text: String {
        "\(count) (\(sha256.prefix(10)))" + (shard.map { ", shard \($0.index + 1)/\($0.count)" } ?? "")
    }
}

extension V1.PluginUse {
    fileprivate var json: JSON {
        [
            "id": .string(id), "version": .string(version),
            "arguments": .object(arguments.map { ($0.id, .string($0.value)) }), "seed": JSON(seed),
        ]
    }
}
