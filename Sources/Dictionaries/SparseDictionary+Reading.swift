import Files
import Glibc
import Kernels
import TensorFiles

extension SparseDictionary {
    /// Reads the dictionary in a folder, in whichever of two layouts it is:
    ///
    /// - SAELens' (3 to 6): `cfg.json` and `sae_weights.safetensors` with `W_enc` [d_in, d_sae], `W_dec` [d_sae, d_in],
    ///   `b_enc`, `b_dec` and, for JumpReLU, `threshold`; architectures standard, topk, jumprelu, and batchtopk with the
    ///   one threshold that its training kept. What was called `hook_name` beside the rest moved into `metadata` in 6.
    /// - sparsify's (1): `cfg.json` with `d_in` and `k`, and `sae.safetensors` with `encoder.weight` [d_sae, d_in],
    ///   `encoder.bias`, `W_dec` and `b_dec`; its activation is topk.
    ///
    /// - Throws: ``DictionaryError``; ``TensorFiles/TensorFileError`` for a file that is damaged.
    public static func read(_ folder: String) throws -> SparseDictionary {
        let config = try DictionaryConfiguration(folder)
        if access("\(folder)/sae_weights.safetensors", F_OK) == 0 {
            return try saeLens(config, SafetensorsFile(path: "\(folder)/sae_weights.safetensors"))
        }
        if access("\(folder)/sae.safetensors", F_OK) == 0 {
            return try sparsify(config, SafetensorsFile(path: "\(folder)/sae.safetensors"), folder: folder)
        }
        throw DictionaryError(
            .notFound, "\(folder) has a cfg.json, but neither sae_weights.safetensors nor sae.safetensors beside it")
    }

    private static func saeLens(_ config: DictionaryConfiguration, _ file: SafetensorsFile) throws -> SparseDictionary {
        let (inputs, latents) = (try config.size("d_in"), try config.size("d_sae"))
        func tensor(_ name: String, _ shape: [Int]) throws -> Tensor { try self.tensor(file, name, shape) }
        let encoder = transposed(try tensor("W_enc", [inputs, latents]))
        var decoder = try tensor("W_dec", [latents, inputs])
        let bias = try tensor("b_enc", [latents]).elements
        if let factors = try scalingFactors(config, file, latents) { scale(&decoder, by: factors) }
        let architecture = config.text("architecture") ?? "standard"
        if architecture != "jumprelu", file.names.contains("threshold") {
            throw config.unsupported(
                "a tensor 'threshold', which an architecture '\(architecture)' does not have and jumprelu has,")
        }
        let activation: Activation
        switch architecture {
        case "standard":
            // Before 6 this was also the name of what had another function.
            switch config.text("activation_fn_str") ?? config.text("activation_fn") ?? "relu" {
            case "relu": activation = .relu
            case "topk": activation = .topK(try config.k(config.member("activation_fn_kwargs")?.object?["k"]))
            case let other: throw config.unsupported("the activation function '\(other)'")
            }
        case "topk": activation = .topK(try config.k(config.member("k") ?? config.member("activation_fn_kwargs")?["k"]))
        case "jumprelu": activation = .jumpReLU(try tensor("threshold", [latents]).elements)
        case "batchtopk":
            let threshold = try tensor("topk_threshold", []).elements
            activation = .jumpReLU([Float](repeating: threshold[0], count: latents))
        default: throw config.unsupported("the architecture '\(architecture)'")
        }
        let plain = try SparseDictionary(
            encoder: encoder, decoder: decoder, encoderBias: bias, decoderBias: tensor("b_dec", [inputs]).elements,
            activation: activation, subtractsDecoderBias: config.bool("apply_b_dec_to_input") ?? true,
            normalisation: try config.normalisation(), hook: config.metadata("hook_name"),
            model: config.metadata("model_name"), name: file.name)
        let rescaled = config.bool("rescale_acts_by_decoder_norm") == true
        return rescaled && ["topk", "batchtopk"].contains(architecture)
            ? try plain.withUnitDirections(name: file.name) : plain
    }

    /// What codes are multiplied with before they are decoded, where a dictionary was tuned afterwards. Files of a time
    /// have the tensor without it: then it is 1, and says nothing.
    private static func scalingFactors(
        _ config: DictionaryConfiguration, _ file: SafetensorsFile, _ latents: Int
    ) throws -> [Float]? {
        let isTuned = config.bool("finetuning_scaling_factor") == true
        guard file.names.contains("scaling_factor") else {
            guard !isTuned else {
                throw config.unsupported("finetuning_scaling_factor without a tensor 'scaling_factor'")
            }
            return nil
        }
        let factors = try tensor(file, "scaling_factor", [latents]).elements
        guard isTuned || factors.allSatisfy({ abs($0 - 1) <= 1e-5 }) else {
            throw config.unsupported(
                "a tensor 'scaling_factor' other than 1 where finetuning_scaling_factor is not set")
        }
        return isTuned ? factors : nil
    }

    /// Multiplies each latent's direction.
    private static func scale(_ decoder: inout Tensor, by factors: [Float]) {
        let inputs = decoder.shape[1]
        decoder.withUnsafeMutableBufferPointer { decoder in
            for (latent, factor) in factors.enumerated() {
                for i in latent * inputs..<(latent + 1) * inputs { decoder[i] *= factor }
            }
        }
    }

    private static func sparsify(
        _ config: DictionaryConfiguration, _ file: SafetensorsFile, folder: String
    ) throws -> SparseDictionary {
        for option in ["transcode", "skip_connection", "embed_skip", "gram_lookup", "signed"]
        where config.bool(option) == true { throw config.unsupported(option) }
        let activation = config.text("activation") ?? "topk"
        guard activation == "topk" else { throw config.unsupported("the activation '\(activation)'") }
        let inputs = try config.size("d_in")
        guard let shape = file.shape(of: "encoder.weight"), shape.count == 2 else {
            throw DictionaryError(
                .dataLoss, "\(file.name) has no matrix encoder.weight [latents, \(inputs)]; it has \(file.names)")
        }
        let latents = shape[0]
        let stated = config.member("num_latents")?.int ?? 0
        guard stated == 0 || stated == latents else {
            throw DictionaryError(
                .dataLoss, "\(config.path) says num_latents \(stated), and encoder.weight is \(shape)")
        }
        let place = folder.split(separator: "/").last.map(String.init) ?? ""
        return try SparseDictionary(
            encoder: tensor(file, "encoder.weight", [latents, inputs]),
            decoder: tensor(file, "W_dec", [latents, inputs]),
            encoderBias: tensor(file, "encoder.bias", [latents]).elements,
            decoderBias: tensor(file, "b_dec", [inputs]).elements,
            activation: .topK(try config.k(config.member("k"))), hook: place, name: file.name)
    }

    private static func tensor(_ file: SafetensorsFile, _ name: String, _ shape: [Int]) throws -> Tensor {
        if let stored = file.shape(of: name), stored != shape {
            throw DictionaryError(
                .dataLoss, "\(file.name): \(name) is \(stored), expected \(shape) after the sizes in cfg.json")
        }
        // One of two such matrices, each of which is laid out anew.
        try ReadingLimit.check(
            elements: checkedProduct(shape + [4]), "\(file.name): a dictionary with \(name) \(shape)")
        return try file.tensor(named: name)
    }

    /// The same dictionary with directions of length 1, their lengths moved to the encoder: what choosing codes by their
    /// length in the activation (`rescale_acts_by_decoder_norm`) comes to.
    private func withUnitDirections(name: String) throws -> SparseDictionary {
        var (encoder, decoder, bias) = (encoder, decoder, encoderBias)
        decoder.withUnsafeMutableBufferPointer { decoder in
            encoder.withUnsafeMutableBufferPointer { encoder in
                for latent in 0..<latents {
                    let range = latent * inputs..<(latent + 1) * inputs
                    let norm = decoder[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
                    guard norm > 0 else { continue }
                    bias[latent] *= norm
                    for i in range { (encoder[i], decoder[i]) = (encoder[i] * norm, decoder[i] / norm) }
                }
            }
        }
        return try SparseDictionary(
            encoder: encoder, decoder: decoder, encoderBias: bias, decoderBias: decoderBias, activation: activation,
            subtractsDecoderBias: subtractsDecoderBias, normalisation: normalisation, hook: hook, model: model,
            name: name)
    }
}

/// [rows, columns] to [columns, rows].
func transposed(_ matrix: Tensor) -> Tensor {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    var out = Tensor(uninitialized: [columns, rows])
    matrix.withUnsafeBufferPointer { matrix in
        out.withUnsafeMutableBufferPointer { out in
            for row in 0..<rows {
                for column in 0..<columns { out[column * rows + row] = matrix[row * columns + column] }
            }
        }
    }
    return out
}
