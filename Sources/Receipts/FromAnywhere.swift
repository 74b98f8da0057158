import Client
import Foundation
import Messages

extension V1.AudioSource {
    /// The same recording for a caller in any folder.
    var fromAnywhere: V1.AudioSource {
        guard case .path(let path)? = source else { return self }
        var source = self
        source.source = .path(absolutePath(path))
        return source
    }
}

extension V1.ModelRef {
    /// The same model for a caller in any folder. What is no path is a model's name.
    var fromAnywhere: V1.ModelRef {
        var model = self
        for path in [\V1.ModelRef.name, \V1.ModelRef.vocabulary] where !model[keyPath: path].isEmpty {
            let absolute = absolutePath(model[keyPath: path])
            if FileManager.default.fileExists(atPath: absolute) { model[keyPath: path] = absolute }
        }
        return model
    }
}
