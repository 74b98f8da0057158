/// Hugging Face's spelling of Whisper's tensors (`model.encoder.layers.0.self_attn.q_proj.weight`), in openai's words.
enum HuggingFaceNames {
    /// The unembedding, which Whisper ties to the token embedding. Files may hold it or not.
    static let tiedOutput = "proj_out.weight"

    /// openai/whisper's name for `name`, or `name` itself where it is none of Whisper's.
    static func openAI(_ name: String) -> String {
        // A model saved without its head has no "model." in front.
        let path = (name.hasPrefix("model.") ? name.dropFirst("model.".count) : name[...]).split(separator: ".")
        guard path.count >= 3, path[0] == "encoder" || path[0] == "decoder" else { return name }
        if path[1] == "layers", path.count >= 4, let inner = block(path[3...]) {
            return "\(path[0]).blocks.\(path[2]).\(inner)"
        }
        switch (path[0], path[1], path[2], path.count) {
        case (_, "embed_positions", "weight", 3): return "\(path[0]).positional_embedding"
        case ("decoder", "embed_tokens", "weight", 3): return "decoder.token_embedding.weight"
        case ("encoder", "layer_norm", _, 3): return "encoder.ln_post.\(path[2])"
        case ("decoder", "layer_norm", _, 3): return "decoder.ln.\(path[2])"
        case ("encoder", "conv1", _, 3), ("encoder", "conv2", _, 3): return "encoder.\(path[1]).\(path[2])"
        default: return name
        }
    }

    /// What follows the layer's number.
    private static func block(_ path: ArraySlice<Substring>) -> String? {
        let path = Array(path)
        if path.count == 3, let attention = attentions[path[0]], let projection = projections[path[1]] {
            return "\(attention).\(projection).\(path[2])"
        }
        if path.count == 2, let module = modules[path[0]] { return "\(module).\(path[1])" }
        return nil
    }

    private static let attentions: [Substring: String] = ["self_attn": "attn", "encoder_attn": "cross_attn"]
    private static let projections: [Substring: String] = [
        "q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "out",
    ]
    private static let modules: [Substring: String] = [
        "self_attn_layer_norm": "attn_ln", "encoder_attn_layer_norm": "cross_attn_ln", "final_layer_norm": "mlp_ln",
        "fc1": "mlp.0", "fc2": "mlp.2",
    ]
}
