import Digests
import Files
import Foundation
import Kernels
import Logging
import Whisper

/// Finds models by name or path, and keeps the registry.
public struct ModelService: Sendable {
    public let registry: ModelRegistry
    /// What `pull` can download.
    public let releases: [ReleasedModel]
    /// Whether the models that it opens keep what the encoder gave of the sounds that were transcribed last.
    var reusesOutputs = false
    private var environment: [String: String]
    private let logger: Logger

    public init(
        registry: ModelRegistry, releases: [ReleasedModel] = ReleasedModel.all,
        environment: [String: String] = ProcessInfo.processInfo.environment, logger: Logger
    ) {
        self.registry = registry
        self.releases = releases
        self.environment = environment
        self.logger = logger
    }

    /// The same, downloading from another server; none for the published addresses.
    func using(mirror: String?) -> ModelService {
        var copy = self
        copy.environment["AUSCULT_MIRROR"] = mirror
        return copy
    }

    // MARK: - Opening

    /// Opens the model that `reference` means: none or `default` is the embedded one; then come registered names
    /// (and the other names of released models), then paths, then models in the cache of Hugging Face's hub.
    /// - Parameter vocabulary: a vocabulary file to use instead of the checkpoint's own.
    /// - Throws: ``ServiceError`` (`notFound`) with the names there are; ``WhisperError`` for a damaged checkpoint.
    public func open(_ reference: String?, vocabulary: String? = nil) throws -> LoadedModel {
        try open(origin(of: reference, vocabulary: vocabulary))
    }

    /// Where the model that `reference` means lies, without opening it.
    /// - Parameter absolutely: whether paths have to be absolute, because whoever names them works in another folder.
    func origin(of reference: String?, vocabulary: String?, absolutely: Bool = false) throws -> ModelOrigin {
        let reference = reference ?? EmbeddedModel.name
        let mayBeOnHub = HubCache.isRepository(reference) && (absolutely || !exists(reference))
        if absolutely, !mayBeOnHub {
            for path in [reference.contains("/") ? reference : nil, vocabulary].compactMap({ $0 }) {
                try Engine.checkAbsolute(path)
            }
        }
        if reference == EmbeddedModel.name {
            guard vocabulary == nil else {
                throw ServiceError(
                    .invalidArgument, "the embedded model has its own vocabulary; --vocab is for another")
            }
            return .embedded
        }
        if !reference.contains("/"), let entry = try registered(reference) {
            guard exists(entry.path) else { throw missing(entry) }
            var entry = entry
            entry.vocabulary = vocabulary ?? entry.vocabulary
            return .files(entry)
        }
        if mayBeOnHub {
            if absolutely, let vocabulary { try Engine.checkAbsolute(vocabulary) }
            let path = try HubCache(environment: environment).snapshot(of: reference)
            return .files(RegisteredModel(name: reference, path: path, vocabulary: vocabulary))
        }
        guard !absolutely || reference.contains("/"), exists(reference) else { throw unknown(reference) }
        return .files(RegisteredModel(name: reference, path: reference, vocabulary: vocabulary))
    }

    /// Whether a word is the name of a model that is here, rather than of a file.
    func isName(_ word: String) -> Bool {
        // A registry that cannot be read says so when the model is opened.
        word == EmbeddedModel.name || ((try? registered(word)) ?? nil) != nil
    }

    func open(_ origin: ModelOrigin, precision: Precision = .exact) throws -> LoadedModel {
        guard case .files(let entry) = origin else {
            return LoadedModel(
                name: EmbeddedModel.name, checkpoint: try EmbeddedModel.open(), precision: precision,
                reusesOutputs: reusesOutputs, digest: EmbeddedModel.digest)
        }
        logger.debug("opening \(entry.path)\(entry.vocabulary.map { " with the vocabulary \($0)" } ?? "")")
        let checkpoint = try Checkpoint.open(entry.path, vocabulary: entry.vocabulary)
            .with(alignmentHeads: entry.alignmentHeads)
        return LoadedModel(
            name: entry.name, checkpoint: checkpoint, precision: precision, reusesOutputs: reusesOutputs
        ) {
            try entry.sha256 ?? SHA256.hex(ofFiles: WeightFiles.at(entry.path))
        }
    }

    private func exists(_ path: String) -> Bool { PathText.withName(path) { access($0, F_OK) } == 0 }

    private func registered(_ name: String) throws -> RegisteredModel? {
        if let entry = try registry.model(named: name) { return entry }
        guard let release = ReleasedModel.named(name, in: releases), release.name != name else { return nil }
        return try registry.model(named: release.name)
    }

    /// How to have a released model that is not here.
    private static func waysToGet(_ name: String) -> String {
        "'auscult models pull \(name)' downloads it, and a checkpoint that you have is registered by "
            + "'auscult models add FOLDER --name \(name)'"
            + (["tiny.en", "base"].contains(name) ? " (in auscult's sources, 'make released' brings one)" : "")
    }

    private func missing(_ entry: RegisteredModel) -> ServiceError {
        ServiceError(
            .notFound,
            "the model \(entry.name) was registered as \(entry.path), which is not there any more; "
                + "put it back, or 'auscult models remove \(entry.name)'")
    }

    private func unknown(_ reference: String) -> ServiceError {
        if reference.contains("/") { return ServiceError(.notFound, "no model at \(reference): there is no such file") }
        let names = [EmbeddedModel.name] + ((try? registry.models().map(\.name)) ?? [])
        var message = "no model is called \(reference); there are: \(nameList(names))"
        if ReleasedModel.named(reference, in: releases) != nil {
            message += "; \(Self.waysToGet(reference))"
        } else if let near = nearestNames(to: reference, in: names + releases.map(\.name)).first {
            message += "; did you mean \(near)?"
        }
        return ServiceError(.notFound, message)
    }

    // MARK: - Keeping

    /// Registers the checkpoint at `path`, after opening it.
    /// - Parameters:
    ///   - name: without one, the folder's name, or the file's without its ending.
    ///   - warn: told what is worth knowing about it.
    public func add(
        _ path: String, name: String? = nil, vocabulary: String? = nil, warn: (String) -> Void = { _ in }
    ) throws -> RegisteredModel {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        let stem = (url.lastPathComponent as NSString).deletingPathExtension
        let ending = url.pathExtension.lowercased()
        let model = RegisteredModel(
            name: name ?? (["pt", "bin"].contains(ending) ? stem : url.lastPathComponent), path: url.path,
            vocabulary: vocabulary.map { URL(fileURLWithPath: $0).standardizedFileURL.path })
        try ModelRegistry.checkName(model.name)
        let checkpoint = try Checkpoint.open(model.path, vocabulary: model.vocabulary)
        if checkpoint.vocabulary == nil {
            warn(
                "\(path) brings no vocabulary: tracing the encoder works, transcribing does not; --vocab names one")
        }
        try registry.add(model)
        return model
    }

    /// Forgets a model, and deletes its files where ``pull(_:progress:)`` had downloaded them.
    public func remove(_ name: String) throws -> RegisteredModel {
        let entry = try registry.remove(name)
        if entry.downloaded {
            for file in [entry.path, entry.path + ".part", entry.vocabulary].compactMap({ $0 }) {
                try? FileManager.default.removeItem(atPath: file)
            }
            rmdir(folder(of: entry.name))
        }
        return entry
    }

    /// Downloads a released model with its vocabulary, and registers it.
    /// - Throws: ``ServiceError``: `notFound` for a name that was not released; what ``ModelDownload`` throws.
    public func pull(
        _ name: String, progress: @escaping @Sendable (String, DownloadProgress) -> Void = { _, _ in }
    ) async throws -> RegisteredModel {
        guard let release = ReleasedModel.named(name, in: releases) else {
            throw ServiceError(
                .notFound, "no released model is called \(name); there are: \(nameList(releases.map(\.name)))")
        }
        if let taken = try registry.model(named: release.name), !taken.downloaded {
            throw ServiceError(
                .invalidArgument, "the name \(release.name) is taken by \(taken.path); remove that registration first")
        }
        let folder = folder(of: release.name)
        try DataFolder.create(folder)
        // Where nothing could be downloaded, nothing is left.
        defer { rmdir(folder) }
        for file in [release.vocabulary, release.weights] {
            let address = try file.address(environment: environment)
            logger.debug("downloading \(address.absoluteString)")
            let download = ModelDownload(from: address, to: folder + "/" + file.name, sha256: file.sha256)
            try await download.run { progress(file.name, $0) }
        }
        let model = RegisteredModel(
            name: release.name, path: folder + "/" + release.weights.name,
            vocabulary: folder + "/" + release.vocabulary.name, sha256: release.weights.sha256,
            alignmentHeads: release.alignmentHeads, downloaded: true)
        try registry.add(model, replacing: true)
        return model
    }

    private func folder(of name: String) -> String { registry.folder + "/" + name }
}

extension Checkpoint {
    /// The same with these alignment heads, (layer, head) each, where the files name none.
    func with(alignmentHeads heads: [[Int]]?) -> Checkpoint {
        guard generation.alignmentHeads == nil, let heads, heads.allSatisfy({ $0.count == 2 }) else { return self }
        var generation = generation
        generation.alignmentHeads = heads.map { .init(layer: $0[0], head: $0[1]) }
        return Checkpoint(
            format: format, dimensions: dimensions, weights: weights, vocabulary: vocabulary, generation: generation)
    }
}
