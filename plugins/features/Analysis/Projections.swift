import Dictionaries
import Foundation
import Kernels
import PluginDraws
import PluginKit
import TensorFiles

/// What features are made of activations: the activations themselves, their products with directions, or a sparse
/// dictionary's latents.
struct Projections {
    /// Rows of unit or any other length, [features, inputs].
    struct Directions {
        let inputs: Int
        let values: [Float]
        let names: [String]
        var count: Int { values.count / inputs }
    }

    /// By hook point; empty for plain activations.
    private let directions: [String: Directions]
    private let dictionary: SparseDictionary?
    /// The hook points that they are for; empty where that is not known.
    let hooks: [String]
    /// For comparing states: "" for plain activations.
    let description: String

    init(directions: [String: Directions] = [:], dictionary: SparseDictionary? = nil) {
        self.directions = directions
        self.dictionary = dictionary
        hooks = dictionary.map { $0.hook.isEmpty ? [] : [$0.hook] } ?? directions.keys.sorted()
        var description = directions.sorted { $0.key < $1.key }.map { hook, own in
            "; \(own.count) directions at \(hook), \(Self.digest([own.values]))"
        }.joined()
        if let dictionary {
            let numbers = [dictionary.encoder.elements, dictionary.encoderBias, dictionary.decoderBias]
            description += "; \(dictionary.latents) latents, \(dictionary.activation), \(Self.digest(numbers))"
        }
        self.description = description
    }

    private static func digest(_ numbers: [[Float]]) -> String {
        String(numbers.joined().reduce(UInt64(0)) { Hashing.stirred($0 ^ UInt64($1.bitPattern)) }, radix: 16)
    }

    /// - Throws: ``PluginKit/PluginError`` where the file or folder is none, or has no matrix.
    init(_ arguments: Arguments) throws {
        let (path, folder) = (try arguments.path("directions"), try arguments.path("dictionary"))
        guard path == nil || folder == nil else {
            throw PluginError(.invalidArgument, "directions and dictionary are both given, expected one of them")
        }
        do {
            self.init(
                directions: try path.map(Self.read) ?? [:], dictionary: try folder.map(SparseDictionary.read))
        } catch let error as PluginError { throw error } catch {
            throw PluginError(.invalidArgument, "\(path == nil ? "dictionary" : "directions"): \(error)")
        }
    }

    /// A matrix [n, d] for each hook point: named as it, or with ".weight" behind, as those of probes are. `names` or
    /// `classes` of the metadata, a JSON array, names its rows.
    private static func read(_ path: String) throws -> [String: Directions] {
        let file = try SafetensorsFile(path: path)
        var all: [String: Directions] = [:]
        for name in file.names {
            guard let shape = file.shape(of: name), shape.count == 2, shape[0] > 0, shape[1] > 0 else { continue }
            let values = try file.tensor(named: name).withUnsafeBufferPointer(Array.init)
            guard values.allSatisfy(\.isFinite) else {
                throw PluginError(.invalidArgument, "\(path): the directions '\(name)' are not all finite")
            }
            let told = ["names", "classes"].lazy.compactMap { file.metadata[$0] }.first.flatMap {
                try? JSONDecoder().decode([String].self, from: Data($0.utf8))
            }
            let names = told.flatMap { $0.count == shape[0] ? $0 : nil } ?? []
            let hook = name.hasSuffix(".weight") ? String(name.dropLast(7)) : name
            all[hook] = Directions(inputs: shape[1], values: values, names: names)
        }
        guard !all.isEmpty else {
            throw PluginError(
                .invalidArgument,
                "\(path) has no matrix [directions, features]; it has \(file.names.joined(separator: ", "))")
        }
        return all
    }

    /// Hands the features [positions, features] of a window to `body`, with their number and their names.
    /// - Parameter values: [positions, width].
    func project(
        _ hook: String, _ values: UnsafeBufferPointer<Float>, width: Int,
        _ body: (UnsafeBufferPointer<Float>, Int, [String]) throws -> Void
    ) throws {
        guard !directions.isEmpty || dictionary != nil else { return try body(values, width, []) }
        let positions = values.count / width
        // What is not finite stays so: a dictionary might make zeros of it.
        let isFinite = HookScan.allFinite(values)
        if let dictionary {
            guard dictionary.inputs == width else {
                throw PluginError(
                    .invalidArgument, "\(hook) has \(width) features, and the dictionary is of \(dictionary.inputs)")
            }
            let codes =
                isFinite && positions > 0
                ? try dictionary.encode(Tensor(shape: [positions, width], values)).elements
                : [Float](repeating: .nan, count: positions * dictionary.latents)
            return try codes.withUnsafeBufferPointer { try body($0, dictionary.latents, []) }
        }
        guard let own = directions[hook] else {
            throw PluginError(
                .notFound,
                "there are no directions for \(hook); there are for \(directions.keys.sorted().joined(separator: ", "))"
            )
        }
        guard own.inputs == width else {
            throw PluginError(
                .invalidArgument, "\(hook) has \(width) features, and its directions are of \(own.inputs)")
        }
        var features = [Float](repeating: .nan, count: positions * own.count)
        if let a = values.baseAddress, isFinite, positions > 0 {
            own.values.withUnsafeBufferPointer { b in
                features.withUnsafeMutableBufferPointer { c in
                    guard let b = b.baseAddress, let c = c.baseAddress else { return }
                    MatrixProduct.multiply(
                        m: positions, n: own.count, k: width, a, lda: width, b, ldb: width, .columns, into: c,
                        ldc: own.count)
                }
            }
        }
        try features.withUnsafeBufferPointer { try body($0, own.count, own.names) }
    }
}
