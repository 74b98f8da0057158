import Kernels

/// A model as somebody names it.
public struct ModelReference: Sendable, Equatable {
    /// A registered name or an absolute path; nil for the embedded model.
    public var name: String?
    /// A vocabulary file in place of the checkpoint's own.
    public var vocabulary: String?
    /// The same checkpoint in another precision is another model.
    public var precision: Precision

    public init(_ name: String? = nil, vocabulary: String? = nil, precision: Precision = .exact) {
        (self.name, self.vocabulary, self.precision) = (name, vocabulary, precision)
    }
}

extension ModelStore {
    /// As ``model(_:vocabulary:precision:)``.
    func model(_ reference: ModelReference) throws -> LoadedModel {
        try model(reference.name, vocabulary: reference.vocabulary, precision: reference.precision)
    }

    /// As ``lease(_:vocabulary:precision:)``.
    func lease(_ reference: ModelReference) throws -> ModelLease {
        try lease(reference.name, vocabulary: reference.vocabulary, precision: reference.precision)
    }
}

extension String {
    /// The string, or nil for an empty one: what is absent in a message.
    var nonEmpty: String? { isEmpty ? nil : self }
}
