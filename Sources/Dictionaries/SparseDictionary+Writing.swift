import Files
import Foundation
import Kernels
import TensorFiles

extension SparseDictionary {
    /// Writes the dictionary in SAELens' layout (6): `cfg.json` and `sae_weights.safetensors` in `folder`, which is made
    /// where it is not there.
    /// - Parameter facts: what else `metadata` is to say, as texts.
    /// - Throws: ``Files/FileError``, ``TensorFiles/TensorFileError`` where the files cannot be written.
    public func write(to folder: String, facts: [String: String] = [:]) throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch { throw FileError(.cannotCreate, "cannot make the folder \(folder): \(error.localizedDescription)") }
        let weights = try SafetensorsWriter(path: "\(folder)/sae_weights.safetensors")
        try weights.append("W_enc", transposed(encoder))
        try weights.append("W_dec", decoder)
        try weights.append("b_enc", Tensor(shape: [latents], encoderBias))
        try weights.append("b_dec", Tensor(shape: [inputs], decoderBias))
        var (architecture, more) = ("standard", "")
        switch activation {
        case .relu: break
        case .topK(let k):
            (architecture, more) = ("topk", ",\"k\":\(k),\"rescale_acts_by_decoder_norm\":false")
        case .jumpReLU(let thresholds):
            architecture = "jumprelu"
            try weights.append("threshold", Tensor(shape: [latents], thresholds))
        }
        try weights.finish()
        var metadata = facts
        metadata["hook_name"] = hook
        metadata["model_name"] = model
        let text =
            "{\"architecture\":\"\(architecture)\",\"d_in\":\(inputs),\"d_sae\":\(latents),\"dtype\":\"float32\","
            + "\"device\":\"cpu\",\"apply_b_dec_to_input\":\(subtractsDecoderBias),"
            + "\"normalize_activations\":\"\(normalisation.rawValue)\",\"reshape_activations\":\"none\"\(more),"
            + "\"metadata\":\(JSONValue.object(metadata))}\n"
        // Last, so that a folder with a cfg.json has its weights.
        let file = try PendingFile("\(folder)/cfg.json")
        try Array(text.utf8).withUnsafeBytes { try file.write($0) }
        try file.commit()
    }
}
