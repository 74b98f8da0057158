import PluginKit

/// The results of a study.
struct Summary {
    let study: Study
    let reports: [LayerReport]

    /// The smallest loss on the validation part: the best on the test part would flatter itself. Without a validation
    /// part, the last.
    var best: LayerReport {
        var best = reports[reports.count - 1]
        for report in reports.reversed() where report.validationLoss <= best.validationLoss { best = report }
        return best
    }

    func emit(_ results: Results, about sentence: String) throws {
        try results.emit("layers", .table(columns: Self.columns, rows: reports.map(row)), mayBeNaN: true)
        let hooks = reports.map(\.hook)
        var lines = [("probe", reports.map(\.test.accuracy))]
        if study.controlIsDefined { lines.append(("control", reports.map(\.control.accuracy))) }
        lines.append(("majority", reports.map { _ in study.majority.accuracy }))
        try results.emit(
            "accuracy",
            .matrix(
                lines.flatMap(\.1), rows: lines.count, columns: hooks.count,
                axes: [Axis("series", labels: lines.map(\.0)), Axis("hook point", labels: hooks)]))
        let classes = study.classes
        try results.emit(
            "confusion",
            .matrix(
                best.test.confusion, rows: classes.count, columns: classes.count,
                axes: [Axis("true", labels: classes), Axis("answered", labels: classes)]))
        try results.emit("method", .text("\(sentence) \(method)"))
    }

    static let columns = [
        "hook", "accuracy", "low_95", "high_95", "macro_f1", "auc", "majority", "control_accuracy", "selectivity",
        "control_train_accuracy", "train_accuracy", "validation_accuracy", "validation_loss", "l2", "converged",
    ]

    private func row(_ report: LayerReport) -> [Cell] {
        [
            .text(report.hook), .number(report.test.accuracy), .number(report.interval.low),
            .number(report.interval.high), .number(report.test.macroF1), .number(report.test.areaUnderCurve),
            .number(study.majority.accuracy), .number(report.control.accuracy), .number(report.selectivity),
            .number(report.control.trainAccuracy), .number(report.trainAccuracy), .number(report.validationAccuracy),
            .number(report.validationLoss), .number(report.l2), .text(report.converged ? "yes" : "no"),
        ]
    }

    private var method: String {
        let counts = study.counts
        var sentences = [
            "Rows: \(counts.train) train, \(counts.validation) validate, \(counts.test) test.",
            study.split.unit == .speaker
                ? "No speaker is in two parts; a recording without a speaker stands for one."
                : "The split is by recording, so speakers are in several parts: \(study.split.reason).",
            "Classes: \(study.classes.joined(separator: ", ")).",
            "The majority baseline always answers '\(study.majority.label)'.",
        ]
        if study.leftOut > 0 {
            sentences.append("\(study.leftOut) rows are left out: the training part has nothing of their class.")
        }
        if counts.validation == 0 { sentences.append("There is no validation part: L2 is 0.01 unless it was given.") }
        sentences.append(
            "Control task: each type (the sound in its word for phonemes, else the speaker, or the recording where that is "
                + "not known or is the target) has one random class.")
        if !study.controlIsDefined {
            sentences.append(
                "Here it is not defined, and neither is selectivity: most types of the test part are not in the training part, "
                    + "so there is nothing that could have been learnt of them. control_train_accuracy, beside "
                    + "train_accuracy, says how much is learnt by heart.")
        }
        sentences.append("Intervals: 95 %, \(Study.resamples) draws of the test part's \(study.split.unit.rawValue)s.")
        if !reports.allSatisfy(\.converged) { sentences.append("Not all fits converged; the table says which did.") }
        sentences.append("The confusion matrix is of \(best.hook), which has the smallest loss on the validation part.")
        return sentences.joined(separator: " ")
    }
}
