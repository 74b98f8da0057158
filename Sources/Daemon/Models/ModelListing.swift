import Foundation
import Whisper

/// One line of the list of models.
public struct ModelListing: Sendable {
    public enum State: String, Sendable {
        /// In the binary.
        case embedded
        /// Registered, wherever it lies.
        case registered
        /// Registered, and downloaded by `pull`.
        case downloaded
        /// Not here; `pull` downloads it.
        case released
    }

    public let name: String
    public let state: State
    public var format: String?
    public var path: String?
    public var vocabulary: String?
    public var dimensions: ModelDimensions?
    /// Why it cannot be opened.
    public var problem: String?
}

extension ModelService {
    /// The embedded model, the registered ones by name, and those that could be downloaded.
    public func list() throws -> [ModelListing] {
        var listings: [ModelListing] = []
        if EmbeddedModel.isPresent {
            listings.append(described(ModelListing(name: EmbeddedModel.name, state: .embedded)))
        }
        let registered = try registry.models()
        listings += registered.map { entry in
            let state: ModelListing.State = entry.downloaded ? .downloaded : .registered
            return described(
                ModelListing(name: entry.name, state: state, path: entry.path, vocabulary: entry.vocabulary))
        }
        let names = Set(registered.map(\.name))
        listings += releases.filter { !names.contains($0.name) }.map { ModelListing(name: $0.name, state: .released) }
        return listings
    }

    private func described(_ listing: ModelListing) -> ModelListing {
        var listing = listing
        do {
            let checkpoint = try open(listing.name).checkpoint
            listing.format = checkpoint.format.rawValue
            listing.dimensions = checkpoint.dimensions
        } catch { listing.problem = "\(error)" }
        return listing
    }
}
