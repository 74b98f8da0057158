import Dictionaries
import Foundation
import Kernels
import TensorFiles
import TestSupport
import Testing

private func fixture(_ name: String) -> String { Fixtures.path("dictionaries/\(name)") }

@Suite("Dictionaries in files")
struct DictionaryReadingTests {
    static let all = [
        "standard", "standard-topk", "topk-layer-norm", "jumprelu", "topk-rescaled", "batchtopk", "sparsify.layer",
    ]

    @Test("codes and reconstructions are those that numpy makes of the same files", arguments: all)
    func numpy(name: String) throws {
        let dictionary = try SparseDictionary.read(fixture(name))
        let expected = try SafetensorsFile(path: "\(fixture(name))/expected.safetensors")
        let x = try expected.tensor(named: "x")
        let codes = try dictionary.encode(x), back = try dictionary.reconstruct(x)
        #expect(codes.elements.contains { $0 > 0 })
        #expect(largestDifference(codes.elements, try expected.tensor(named: "codes").elements) < 2e-5)
        #expect(largestDifference(back.elements, try expected.tensor(named: "reconstruction").elements) < 1e-4)
    }

    @Test("where it was made for is read from both places that versions write it to")
    func origin() throws {
        for name in ["standard", "standard-topk"] {
            let dictionary = try SparseDictionary.read(fixture(name))
            #expect(dictionary.hook == "blocks.2.hook_resid_post" && dictionary.model == "tiny")
        }
        #expect(try SparseDictionary.read(fixture("sparsify.layer")).hook == "sparsify.layer")
    }

    @Test("what is written is read as it was, in SAELens' layout", arguments: all)
    func written(name: String) throws {
        let folder = try TemporaryFolder()
        let dictionary = try SparseDictionary.read(fixture(name))
        try dictionary.write(to: folder("new/place"), facts: ["steps": "7"])
        let again = try SparseDictionary.read(folder("new/place"))
        #expect(again.encoder.elements == dictionary.encoder.elements)
        #expect(again.decoder.elements == dictionary.decoder.elements)
        #expect(again.encoderBias == dictionary.encoderBias && again.decoderBias == dictionary.decoderBias)
        #expect(again.activation == dictionary.activation && again.normalisation == dictionary.normalisation)
        #expect(again.subtractsDecoderBias == dictionary.subtractsDecoderBias && again.hook == dictionary.hook)
        let file = try SafetensorsFile(path: folder("new/place/sae_weights.safetensors"))
        #expect(file.shape(of: "W_enc") == [6, 10] && file.shape(of: "W_dec") == [10, 6])
    }

    /// A copy of a fixture with another cfg.json.
    private func changed(_ name: String, _ from: String, _ to: String, in folder: TemporaryFolder) throws -> String {
        let copy = folder("\(UUID().uuidString)")
        try FileManager.default.copyItem(atPath: fixture(name), toPath: copy)
        let path = "\(copy)/cfg.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try #require(text.contains(from))
        try text.replacingOccurrences(of: from, with: to).write(toFile: path, atomically: true, encoding: .utf8)
        return copy
    }

    @Test(
        "what is not known is refused by its name",
        arguments: [
            ("standard", "\"standard\"", "\"gated\"", "gated"),
            ("standard", "\"none\", \"reshape", "\"expected_average_only_in\", \"reshape", "expected_average"),
            ("standard", "\"none\", \"reshape", "true, \"reshape", "normalize_activations true"),
            ("topk-layer-norm", "\"layer_norm\"", "true", "expected_average_only_in"),
            ("standard", "\"d_in\": 6", "\"d_in\": 6, \"finetuning_scaling_factor\": true", "scaling_factor"),
            ("standard-topk", "\"topk\"", "\"tanh-relu\"", "tanh-relu"),
            ("sparsify.layer", "\"transcode\": false", "\"transcode\": true", "transcode"),
            ("sparsify.layer", "\"activation\": \"topk\"", "\"activation\": \"groupmax\"", "groupmax"),
        ])
    func unsupported(name: String, from: String, to: String, word: String) throws {
        let folder = try TemporaryFolder()
        let copy = try changed(name, from, to, in: folder)
        let error = #expect(throws: DictionaryError.self) { try SparseDictionary.read(copy) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
    }

    @Test(
        "sizes that contradict the weights are refused",
        arguments: [
            ("standard", "\"d_in\": 6", "\"d_in\": 7"), ("standard", "\"d_sae\": 10", "\"d_sae\": -10"),
            ("standard", "\"d_sae\": 10", "\"d_sae\": 9223372036854775807"),
            ("topk-layer-norm", "\"k\": 3", "\"k\": 11"), ("topk-layer-norm", "\"k\": 3", "\"k\": 0"),
            ("sparsify.layer", "\"d_in\": 6", "\"d_in\": 5"),
            ("sparsify.layer", "\"num_latents\": 10", "\"num_latents\": 12"),
            ("sparsify.layer", "\"k\": 3", "\"k\": \"3\""),
        ])
    func contradictions(name: String, from: String, to: String) throws {
        let folder = try TemporaryFolder()
        let copy = try changed(name, from, to, in: folder)
        let error = #expect(throws: DictionaryError.self) { try SparseDictionary.read(copy) }
        #expect(error?.code == .dataLoss)
    }

    @Test("a dictionary of terabytes, in a file that is nothing but a hole, is refused before it is read")
    func hole() throws {
        let folder = try TemporaryFolder()
        let copy = try changed(
            "standard", "\"d_in\": 6, \"d_sae\": 10", "\"d_in\": 1048576, \"d_sae\": 1048576", in: folder)
        try writeHole(
            to: "\(copy)/sae_weights.safetensors", "W_enc", shape: [1 << 20, 1 << 20], type: "F32", bytes: 1 << 42)
        let error = #expect(throws: TensorFileError.self) { try SparseDictionary.read(copy) }
        #expect(error?.code == .resourceExhausted && error?.message.contains("W_enc") == true)
    }

    @Test(
        "files that say in other words, or not at all, that nothing is normalised are read the same",
        arguments: ["false", "null", "\"none\""])
    func notNormalised(value: String) throws {
        let folder = try TemporaryFolder()
        let copy = try changed("standard", "\"none\", \"reshape", "\(value), \"reshape", in: folder)
        let (plain, read) = (try SparseDictionary.read(fixture("standard")), try SparseDictionary.read(copy))
        #expect(read.normalisation == .none && read.encoder.elements == plain.encoder.elements)
        let number = try changed("standard", "\"none\", \"reshape", "1, \"reshape", in: folder)
        let error = #expect(throws: DictionaryError.self) { try SparseDictionary.read(number) }
        #expect(error?.code == .dataLoss && error?.message.contains("normalize_activations") == true)
    }

    /// A copy of a fixture in SAELens' layout with one more tensor of ten values, whose tuning cfg.json tells of or not.
    private func adding(
        _ tensor: String, _ value: Float, isTuned: Bool = false, to name: String, in folder: TemporaryFolder
    ) throws -> String {
        let size = "\"d_in\": 6"
        let copy = try changed(name, size, isTuned ? "\(size), \"finetuning_scaling_factor\": true" : size, in: folder)
        let weights = try SafetensorsFile(path: "\(fixture(name))/sae_weights.safetensors")
        let writer = try SafetensorsWriter(path: "\(copy)/sae_weights.safetensors")
        for name in weights.names where name != tensor { try writer.append(name, weights.tensor(named: name)) }
        try writer.append(tensor, Tensor(shape: [10], [Float](repeating: value, count: 10)))
        try writer.finish()
        return copy
    }

    @Test("factors of a tuning are taken, those of 1 say nothing, and others that nothing tells of are refused")
    func scalingFactors() throws {
        let folder = try TemporaryFolder()
        let plain = try SparseDictionary.read(fixture("standard"))
        for isTuned in [false, true] {
            let ones = try adding("scaling_factor", 1, isTuned: isTuned, to: "standard", in: folder)
            #expect(try SparseDictionary.read(ones).decoder.elements == plain.decoder.elements)
        }
        let tuned = try SparseDictionary.read(
            adding("scaling_factor", 2, isTuned: true, to: "standard", in: folder))
        #expect(tuned.decoder.elements == plain.decoder.elements.map { 2 * $0 })
        #expect(tuned.encoder.elements == plain.encoder.elements && tuned.decoderBias == plain.decoderBias)
        let stray = try adding("scaling_factor", 2, to: "standard", in: folder)
        let error = #expect(throws: DictionaryError.self) { try SparseDictionary.read(stray) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("'scaling_factor' other than 1") == true, "\(error?.message ?? "")")
    }

    @Test(
        "thresholds that the architecture does not have are refused, and jumprelu's are its own",
        arguments: ["standard", "standard-topk", "topk-layer-norm", "batchtopk"])
    func strayThreshold(name: String) throws {
        let folder = try TemporaryFolder()
        let stray = try adding("threshold", 0.5, to: name, in: folder)
        let error = #expect(throws: DictionaryError.self) { try SparseDictionary.read(stray) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("'threshold'") == true, "\(error?.message ?? "")")
        let own = try SparseDictionary.read(adding("threshold", 0.5, to: "jumprelu", in: folder))
        #expect(own.activation == .jumpReLU([Float](repeating: 0.5, count: 10)))
    }

    @Test("a folder that is none, or lacks its weights, is said to")
    func missing() throws {
        let folder = try TemporaryFolder()
        #expect(throws: DictionaryError.self) { try SparseDictionary.read(folder("none")) }
        try "{\"architecture\": \"standard\"}".write(toFile: folder("cfg.json"), atomically: true, encoding: .utf8)
        let error = #expect(throws: DictionaryError.self) { try SparseDictionary.read(folder.path) }
        #expect(error?.code == .notFound)
    }

    @Test("thousands of damaged files crash nothing, and most are refused")
    func damaged() throws {
        var random = SeededGenerator(seed: 3)
        var refused = 0, rounds = 0
        for (name, file) in [
            ("jumprelu", "cfg.json"), ("jumprelu", "sae_weights.safetensors"), ("sparsify.layer", "cfg.json"),
            ("sparsify.layer", "sae.safetensors"),
        ] {
            let folder = try TemporaryFolder()
            let copy = folder("copy")
            try FileManager.default.copyItem(atPath: fixture(name), toPath: copy)
            let whole = try Data(contentsOf: URL(fileURLWithPath: "\(fixture(name))/\(file)"))
            let reach = min(whole.count, 500)
            for _ in 0..<500 {
                var bytes = whole
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: 0..<reach, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                if Bool.random(using: &random) { bytes = bytes.prefix(Int.random(in: 0..<whole.count, using: &random)) }
                try bytes.write(to: URL(fileURLWithPath: "\(copy)/\(file)"))
                rounds += 1
                do { _ = try SparseDictionary.read(copy) } catch is DictionaryError {
                    refused += 1
                } catch is TensorFileError { refused += 1 }
            }
        }
        #expect(refused > rounds / 2, "\(refused) of \(rounds)")
    }
}
