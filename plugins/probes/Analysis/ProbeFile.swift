import TensorFiles

/// The probes of one run as a safetensors file:
///
/// - `<hook>.weight` [classes, features], `<hook>.bias` [classes], `<hook>.mean` and `<hook>.std` [features], float32. The
///   logits of an activation x at that hook point are weight · ((x − mean) / std) + bias; a softmax makes probabilities.
/// - `__metadata__`, all strings: `format` ("auscult-probes/1"), `target`, `reduction`, `classes` (a JSON array, in the
///   order of the rows), `hooks` (a JSON array of objects: `hook`, `l2`, `accuracy`, …), `best_hook`, `model`,
///   `model_sha256`, `precision`, `seed`, `split`.
enum ProbeFile {
    static func write(
        _ reports: [LayerReport], classes: [String], best: String, facts: [String: String], to path: String
    ) throws {
        let tensors = reports.flatMap { report in
            [
                SafetensorsOutput.Declaration("\(report.hook).weight", [classes.count, report.probe.features]),
                SafetensorsOutput.Declaration("\(report.hook).bias", [classes.count]),
                SafetensorsOutput.Declaration("\(report.hook).mean", [report.probe.features]),
                SafetensorsOutput.Declaration("\(report.hook).std", [report.probe.features]),
            ]
        }
        var metadata = facts
        metadata["format"] = "auscult-probes/1"
        metadata["best_hook"] = best
        metadata["classes"] = "[\(classes.map(JSONValue.quoted).joined(separator: ","))]"
        metadata["hooks"] = "[\(reports.map(figures).joined(separator: ","))]"
        let file = try SafetensorsOutput(path: path, tensors, metadata: metadata)
        for report in reports {
            try file.append(report.probe.weight.map(Float.init))
            try file.append(report.probe.bias.map(Float.init))
            try file.append(report.standardisation.mean.map(Float.init))
            try file.append(report.standardisation.deviation.map(Float.init))
        }
        try file.finish()
    }

    private static func figures(_ report: LayerReport) -> String {
        let numbers: [(String, Double)] = [
            ("l2", report.l2), ("accuracy", report.test.accuracy), ("macro_f1", report.test.macroF1),
            ("auc", report.test.areaUnderCurve), ("control_accuracy", report.control.accuracy),
            ("selectivity", report.selectivity), ("validation_loss", report.validationLoss),
        ]
        let members = numbers.map { "\"\($0)\":\($1.isFinite ? String($1) : "null")" }
        return "{\"hook\":\(JSONValue.quoted(report.hook)),\(members.joined(separator: ","))}"
    }
}
