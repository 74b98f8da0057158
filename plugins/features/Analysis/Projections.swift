import Dictionaries
import Foundation
import Kernels
import PluginDraws
import PluginKit
import TensorFiles

/// What features are made of activations: the activations themselves, their products with directions, or a sparse
/// dictionary's latents.
struct Projections {
    /// Rows of unit or any other length, [features, inputs], and what is added to each product; nothing where it is empty.
    struct Directions {
        let inputs: Int
        var values: [Float]
        let names: [String]
        var offsets: [Float] = []
        var count: Int { values.count / inputs }
    }

    /// By hook point; empty for plain activations.
    private let directions: [String: Directions]
    private let dictionary: SparseDictionary?
    /// A dictionary's latents have no names but this: neurons of the same hook point may stand beside them.
    private let latents: [String]
    /// The hook points that they are for; empty where that is not known.
    let hooks: [String]
    /// For comparing states: "" for plain activations.
    let description: String

    init(directions: [String: Directions] = [:], dictionary: SparseDictionary? = nil) {
        self.directions = directions
        self.dictionary = dictionary
        latents = dictionary.map { (0..<$0.latents).map { "latent \($0)" } } ?? []
        hooks = dictionary.map { $0.hook.isEmpty ? [] : [$0.hook] } ?? directions.keys.sorted()
        var description = directions.sorted { $0.key < $1.key }.map { hook, own in
            "; \(own.count) directions at \(hook), \(Self.digest([own.values, own.offsets]))"
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

    /// A matrix [n, d] for each hook point: named as it, or with ".weight" behind, as those of probes are: then ".bias",
    /// ".mean" and ".std" are heeded where they lie beside it. `names` or `classes` of the metadata, a JSON array, names
    /// its rows.
    private static func read(_ path: String) throws -> [String: Directions] {
        let file = try SafetensorsFile(path: path)
        var all: [String: Directions] = [:]
        for name in file.names {
            guard let shape = file.shape(of: name), shape.count == 2, shape[0] > 0, shape[1] > 0 else { continue }
            let values = try file.tensor(named: name).withUnsafeBufferPointer(Array.init)
            guard values.allSatisfy(\.isFinite) else {
                throw PluginError(.invalidArgument, "\(path): the directions '\(name)' are not all finite")
            }
            let listed = ["names", "classes"].lazy.compactMap { file.metadata[$0] }.first.flatMap {
                try? JSONValue(parsing: FileBytes(name: path, copying: $0.utf8)).array?.compactMap(\.string)
            }
            let names = listed.flatMap { $0.count == shape[0] ? $0 : nil } ?? []
            var directions = Directions(inputs: shape[1], values: values, names: names)
            guard name.hasSuffix(".weight") else {
                all[name] = directions
                continue
            }
            let hook = String(name.dropLast(".weight".count))
            func beside(_ what: String, _ count: Int) throws -> [Float]? {
                try Self.beside("\(hook).\(what)", count, in: file, path)
            }
            try directions.standardise(
                mean: beside("mean", shape[1]), deviation: beside("std", shape[1]), bias: beside("bias", shape[0]),
                "\(path): '\(hook).std'")
            all[hook] = directions
        }
        guard !all.isEmpty else {
            throw PluginError(
                .invalidArgument,
                "\(path) has no matrix [directions, features]; it has \(file.names.joined(separator: ", "))")
        }
        return all
    }

    /// The vector that lies beside a matrix; nil for none.
    private static func beside(
        _ name: String, _ count: Int, in file: SafetensorsFile, _ path: String
    ) throws -> [Float]? {
        guard let shape = file.shape(of: name) else { return nil }
        guard shape == [count] else {
            throw PluginError(.invalidArgument, "\(path): '\(name)' has the shape \(shape), expected [\(count)]")
        }
        let values = try file.tensor(named: name).withUnsafeBufferPointer(Array.init)
        guard values.allSatisfy(\.isFinite) else {
            throw PluginError(.invalidArgument, "\(path): the numbers of '\(name)' are not all finite")
        }
        return values
    }

    /// Whether a hook point is another than the dictionary says that it is for; what to tell about it.
    func doubt(_ hook: String) -> String? {
        guard let dictionary, !dictionary.hook.isEmpty, dictionary.hook != hook else { return nil }
        return "the dictionary says that it is for \(dictionary.hook), and its latents are taken at \(hook)"
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
            return try codes.withUnsafeBufferPointer { try body($0, dictionary.latents, latents) }
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
                    MatrixProduct.multiplyOnAllThreads(
                        m: positions, n: own.count, k: width, a, lda: width, b, ldb: width, .columns, into: c,
                        ldc: own.count)
                    guard !own.offsets.isEmpty else { return }
                    Elementwise.addBias(
                        own.offsets, to: c, rows: positions, columns: own.count, stride: own.count)
                }
            }
        }
        try features.withUnsafeBufferPointer { try body($0, own.count, own.names) }
    }
}

extension Projections.Directions {
    /// Makes of rows w that are for (x − mean) / std what is for x itself: w / std, and bias − Σ w · mean / std.
    /// - Parameter name: of the deviations, for a message.
    /// - Throws: ``PluginKit/PluginError`` for a deviation that is not above zero.
    fileprivate mutating func standardise(mean: [Float]?, deviation: [Float]?, bias: [Float]?, _ name: String) throws {
        if let wrong = deviation?.first(where: { $0 <= 0 }) {
            throw PluginError(.invalidArgument, "\(name) has \(wrong), expected numbers above 0")
        }
        guard mean != nil || deviation != nil || bias != nil else { return }
        offsets = (0..<count).map { row in
            var offset = Double(bias?[row] ?? 0)
            for input in 0..<inputs {
                let place = row * inputs + input
                let weight = Double(values[place]) / Double(deviation?[input] ?? 1)
                offset -= weight * Double(mean?[input] ?? 0)
                values[place] = Float(weight)
            }
            return Float(offset)
        }
    }
}
