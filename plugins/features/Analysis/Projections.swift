import PluginKit

/// What features are made of activations: the activations themselves, directions' products with them, or a dictionary's
/// latents.
struct Projections {
    /// For comparing states: "" for plain activations.
    let description: String

    init(_ arguments: Arguments) throws {
        for id in ["directions", "dictionary"] where try arguments.path(id) != nil {
            throw PluginError(.unsupported, "\(id) is not there yet")
        }
        description = ""
    }

    /// Hands the features [positions, features] of a window to `body`, with their names.
    func project(
        _ hook: String, _ values: UnsafeBufferPointer<Float>, width: Int,
        _ body: (UnsafeBufferPointer<Float>, Int, [String]) throws -> Void
    ) throws { try body(values, width, []) }
}
