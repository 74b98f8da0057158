import Atlas
import Audio
import Messages

// What an atlas says, as messages; what it does not know is NaN.

extension AtlasBuildRequest {
    /// - Throws: as ``RunRequest``'s.
    init(_ message: V1.BuildAtlasRequest, in folder: CallerFolder, _ service: PluginService) throws {
        var run = message.run ?? V1.RunPluginRequest()
        run.pluginId = run.pluginId.nonEmpty ?? Self.plugin
        self.init(
            path: try folder.absolute(message.path), hooks: message.hooks,
            run: try RunRequest(run, in: folder, service))
    }
}

extension AtlasService.FeatureReference {
    /// - Parameter path: the atlas' absolute path.
    init(_ message: V1.AtlasFeatureRef, path: String) {
        self.init(
            atlas: path, hook: message.hook, feature: message.feature, scan: message.scan == 0 ? nil : message.scan)
    }
}

extension AtlasService.ListenRequest {
    /// - Parameter path: the atlas' absolute path.
    /// - Throws: ``ServiceError`` (`invalidArgument`) for a format that there is none of.
    init(_ message: V1.ListenAtlasRequest, path: String) throws {
        self.init(
            feature: .init(message.feature ?? V1.AtlasFeatureRef(), path: path),
            format: try SoundFileFormat(message.format), gainDecibels: message.gainDb)
        side = message.side.nonEmpty ?? side
        rank = message.rank == 0 ? rank : Int(message.rank)
        around = message.around == 0 ? around : message.around
        surroundingsDecibels = message.surroundingsDb ?? surroundingsDecibels
    }
}

extension AtlasQuery {
    /// - Throws: ``ServiceError`` (`invalidArgument`) for an order or a page that there is none of.
    init(_ request: V1.SearchAtlasRequest) throws {
        self.init()
        search = request.search
        hook = request.hook.nonEmpty
        scan = request.scan == 0 ? nil : request.scan
        label = request.label.nonEmpty
        kind = request.kind.nonEmpty
        lift = request.lift
        if let name = request.sort.nonEmpty {
            guard let sort = Sort(rawValue: name) else {
                let names = Sort.allCases.map(\.rawValue).joined(separator: ", ")
                throw ServiceError(.invalidArgument, "cannot sort by '\(name)'; expected \(names)")
            }
            self.sort = sort
        }
        ascending = request.ascending
        page = Int(request.page)
        guard request.pageSize <= AtlasHandler.greatestPage else {
            throw ServiceError(
                .invalidArgument,
                "a page of \(request.pageSize) features is too large; expected at most \(AtlasHandler.greatestPage)")
        }
        pageSize = request.pageSize == 0 ? 50 : Int(request.pageSize)
    }
}

extension V1.AtlasScan {
    init(_ detail: AtlasScanDetail) {
        let scan = detail.scan
        self.init(
            id: scan.id, model: detail.model.name, modelSha256: detail.model.sha256, dataSet: detail.dataSet.name,
            recordings: UInt64(clamping: detail.dataSet.recordings), plugin: scan.plugin, pluginVersion: scan.version,
            arguments: scan.arguments.sorted { $0.key < $1.key }.map { V1.PluginArgument(id: $0.key, value: $0.value) },
            seed: UInt64(scan.seed) ?? 0, started: scan.started.timeIntervalSince1970,
            finished: scan.finished?.timeIntervalSince1970 ?? 0,
            hooks: detail.hooks.map { V1.AtlasHook(hook: $0.hook, features: UInt64(clamping: $0.features)) },
            problems: detail.problems.map { V1.SkippedRecording(file: $0.recording, reason: $0.reason) },
            provenance: scan.provenance.map { V1.Provenance($0, detail) })
    }
}

extension V1.AtlasFeatureRow {
    init(_ row: AtlasFeatureRow) {
        self.init(feature: V1.AtlasFeature(row.feature), label: row.label.map(V1.AtlasLabel.init))
    }
}

extension V1.AtlasFeature {
    init(_ feature: AtlasFeature) {
        self.init(
            id: feature.id, scan: feature.scanId, hook: feature.hook, number: UInt64(clamping: feature.number),
            name: feature.name, frames: UInt64(clamping: feature.frames ?? 0), mean: feature.mean ?? .nan,
            variance: feature.variance ?? .nan, minimum: feature.minimum ?? .nan, maximum: feature.maximum ?? .nan,
            density: feature.density ?? .nan)
    }
}

extension V1.AtlasLabel {
    init(_ label: AtlasLabel) {
        self.init(
            side: label.side, kind: label.kind, label: label.label, threshold: label.threshold ?? .nan,
            lag: Int32(clamping: label.lag ?? 0), precision: label.precision ?? .nan, recall: label.recall ?? .nan,
            f1: label.f1 ?? .nan, auc: label.auc ?? .nan, mutualInformation: label.mutualInformation ?? .nan,
            selectivity: label.selectivity ?? .nan, pValue: label.pValue ?? .nan, baseRate: label.base ?? .nan,
            lift: label.lift ?? .nan, averagePrecision: label.ap ?? .nan,
            precisionAtRecall: label.precisionAtRecall ?? .nan, namedPrecision: label.namedPrecision ?? .nan,
            namedFrames: UInt64(clamping: label.namedFrames ?? 0),
            scoredFrames: UInt64(clamping: label.scoredFrames ?? 0))
    }
}

extension V1.AtlasCard {
    init(_ card: AtlasCard) {
        self.init(
            feature: V1.AtlasFeature(card.feature), labels: card.labels.map(V1.AtlasLabel.init),
            examples: card.examples.map(V1.AtlasExample.init),
            histogram: card.histogram.map {
                V1.AtlasHistogramCell(side: $0.side, low: $0.low, high: $0.high, count: UInt64(clamping: $0.count))
            },
            columns: card.columns.map(V1.AtlasColumn.init), bins: card.bins.map(V1.AtlasBin.init))
    }
}

extension V1.AtlasColumn {
    init(_ column: AtlasColumn) {
        self.init(
            column: column.column, value: column.value, frames: UInt64(clamping: column.frames ?? 0),
            mean: column.mean ?? .nan, variance: column.variance ?? .nan, maximum: column.maximum ?? .nan,
            density: column.density ?? .nan)
    }
}

extension V1.AtlasBin {
    init(_ card: AtlasBinCard) {
        let bin = card.bin
        self.init(
            side: bin.side, kind: bin.kind, bin: UInt32(clamping: bin.bin), low: bin.low ?? .nan,
            high: bin.high ?? .nan,
            count: UInt64(clamping: bin.count ?? 0),
            sounds: bin.soundsByCount.map { V1.AtlasSoundCount(sound: $0.sound, count: UInt64(clamping: $0.count)) },
            examples: card.examples.map(V1.AtlasBinExample.init))
    }
}

extension V1.AtlasBinExample {
    init(_ card: AtlasBinCard.Example) {
        self.init(
            recording: card.recording.name ?? "", frame: UInt64(clamping: card.example.frame),
            seconds: card.example.seconds ?? .nan, value: card.example.value, heard: card.heard)
    }
}

extension V1.AtlasExample {
    init(_ card: AtlasExampleCard) {
        let example = card.example
        self.init(
            side: example.side, rank: UInt32(clamping: example.rank), recording: card.recording.name ?? "",
            speaker: card.recording.speaker ?? "", frame: UInt64(clamping: example.frame),
            seconds: example.seconds ?? .nan, value: example.value, heard: card.heard ?? "", text: card.markedText,
            activation: card.activation, curveFirst: UInt64(clamping: example.curveFirst ?? 0))
    }
}
