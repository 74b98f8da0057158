import Messages
import Whisper

// Which fields of the requests are paths. A new one belongs here, and nowhere else.

extension Optional where Wrapped: NamesPaths {
    fileprivate mutating func resolvePaths(in folder: CallerFolder) throws { try self?.resolvePaths(in: folder) }
}

extension Array where Element: NamesPaths {
    fileprivate mutating func resolvePaths(in folder: CallerFolder) throws {
        for index in indices { try self[index].resolvePaths(in: folder) }
    }
}

// MARK: - What requests have in common

extension V1.ModelRef: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        name = try folder.model(name)
        vocabulary = try folder.absolute(vocabulary)
    }
}

extension V1.AudioSource: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        guard case .path(let path)? = source else { return }
        // Results speak of it as it was written.
        if name.isEmpty { name = path }
        source = .path(try folder.absolute(path))
    }
}

extension V1.Intervention: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        if !text.isEmpty { text = try InterventionText(text).replacingFile(folder.absolute) }
        switch operation {
        case .add(var add)?:
            try add.value.resolvePaths(in: folder)
            operation = .add(add)
        case .set(var value)?:
            try value.resolvePaths(in: folder)
            operation = .set(value)
        case .splice(let dictionary)?: operation = .splice(try folder.absolute(dictionary))
        case .latent(var latent)?:
            latent.dictionary = try folder.absolute(latent.dictionary)
            if case .clamp(var clamp)? = latent.change {
                clamp.over = try folder.dataSet(clamp.over)
                latent.change = .clamp(clamp)
            }
            operation = .latent(latent)
        case .meanOver(let dataSet)?: operation = .meanOver(try folder.dataSet(dataSet))
        case .clamp(var clamp)?:
            clamp.over = try folder.dataSet(clamp.over)
            operation = .clamp(clamp)
        case .resample(var resample)?:
            resample.dataSet = try folder.dataSet(resample.dataSet)
            operation = .resample(resample)
        case .patch(var patch)?:
            if !patch.source.hasPrefix(InterventionText.embedded) { patch.source = try folder.absolute(patch.source) }
            operation = .patch(patch)
        default: break
        }
    }
}

extension V1.TensorValue: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        if case .path(let path)? = value { value = .path(try folder.absolute(path)) }
    }
}

extension V1.Objective: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        text = try ObjectiveText(text).replacingFile(folder.absolute)
    }
}

// MARK: - Requests

extension V1.TranscribeRequest: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        try model.resolvePaths(in: folder)
        try audio.resolvePaths(in: folder)
        try interventions.resolvePaths(in: folder)
    }
}

extension V1.DetectLanguageRequest: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        try model.resolvePaths(in: folder)
        try audio.resolvePaths(in: folder)
    }
}

extension V1.TraceRequest: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        try model.resolvePaths(in: folder)
        try audio.resolvePaths(in: folder)
        try interventions.resolvePaths(in: folder)
        try objectives.resolvePaths(in: folder)
        if case .file(let path)? = output { output = .file(try folder.absolute(path)) }
    }
}

extension V1.ComparePrecisionRequest: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        try model.resolvePaths(in: folder)
        try audio.resolvePaths(in: folder)
    }
}

extension V1.ExcerptRequest: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws { try audio.resolvePaths(in: folder) }
}

extension V1.HooksRequest: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws { try model.resolvePaths(in: folder) }
}

extension V1.TokenizeRequest: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws { try model.resolvePaths(in: folder) }
}

extension V1.DetokenizeRequest: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws { try model.resolvePaths(in: folder) }
}

extension V1.AddModelRequest: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        path = try folder.absolute(path)
        vocabulary = try folder.absolute(vocabulary)
    }
}

extension V1.LiveOpen: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        try model.resolvePaths(in: folder)
        for index in features.indices { features[index].dictionary = try folder.absolute(features[index].dictionary) }
        try interventions.resolvePaths(in: folder)
        for index in plugins.indices {
            plugins[index].pluginId = try folder.plugin(plugins[index].pluginId)
            try plugins[index].permissions.resolvePaths(in: folder)
        }
        pluginFolders = try pluginFolders.map(folder.absolute)
    }
}

extension V1.PluginPermissions: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        read = try read.map(folder.absolute)
        write = try write.map(folder.absolute)
    }
}

/// A plugin's arguments, whose kinds only its description knows, are ``RunRequest/init(_:in:_:)``'s.
extension V1.RunPluginRequest: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        try model.resolvePaths(in: folder)
        try audio.resolvePaths(in: folder)
        try interventions.resolvePaths(in: folder)
        pluginId = try folder.plugin(pluginId)
        pluginFolders = try pluginFolders.map(folder.absolute)
        dataSets = try dataSets.map(folder.dataSet)
        checkpoint = try folder.absolute(checkpoint)
        stateFile = try folder.absolute(stateFile)
        try permissions.resolvePaths(in: folder)
    }
}

extension V1.ListRecordingsRequest: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        try audio.resolvePaths(in: folder)
        dataSets = try dataSets.map(folder.dataSet)
    }
}

extension V1.MergePluginRequest: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        pluginFolders = try pluginFolders.map(folder.absolute)
        stateFiles = try stateFiles.map(folder.absolute)
        stateFile = try folder.absolute(stateFile)
        try permissions.resolvePaths(in: folder)
    }
}

extension V1.ValidatePluginRequest: NamesPaths {
    mutating func resolvePaths(in folder: CallerFolder) throws {
        path = try folder.absolute(path)
        try model.resolvePaths(in: folder)
        try permissions.resolvePaths(in: folder)
    }
}
