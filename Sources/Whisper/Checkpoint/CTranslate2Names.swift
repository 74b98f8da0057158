/// CTranslate2's spelling of Whisper's tensors (`encoder/layer_0/self_attention/linear_0/weight`), in openai's words.
///
/// Products of the same input are one tensor there, one under the other: query, key and value of self-attention, key
/// and value of cross-attention. Layers of a norm are `gamma` and `beta`.
enum CTranslate2Names {
    /// The unembedding, which Whisper ties to the token embedding.
    static let tiedOutput = "decoder/projection/weight"
    static let embedding = "decoder/embeddings/weight"
    /// Beside quantised weights: what their rows were multiplied with.
    static let scaleSuffix = "_scale"

    /// openai/whisper's names for the equal parts of `name`, from the first row on; nil where it is none of Whisper's.
    ///
    /// The bias of a key is there, and zero; openai's model has none.
    static func openAI(_ name: String) -> [String]? {
        let path = name.split(separator: "/", omittingEmptySubsequences: false)
        guard path.count >= 3, path[0] == "encoder" || path[0] == "decoder" else { return nil }
        if path[1].hasPrefix("layer_"), path[1] != "layer_norm" {
            let digits = path[1].dropFirst("layer_".count)
            guard let layer = Int(digits), layer >= 0, String(layer) == digits else { return nil }
            return inner(path[2...].joined(separator: "/"), isDecoder: path[0] == "decoder")?
                .map { "\(path[0]).blocks.\(layer).\($0)" }
        }
        switch (path[0], path[1], path[2], path.count) {
        case ("encoder", "conv1", "weight", 3), ("encoder", "conv1", "bias", 3), ("encoder", "conv2", "weight", 3),
            ("encoder", "conv2", "bias", 3):
            return ["encoder.\(path[1]).\(path[2])"]
        case (_, "position_encodings", "encodings", 3): return ["\(path[0]).positional_embedding"]
        case ("decoder", "embeddings", "weight", 3): return ["decoder.token_embedding.weight"]
        case (_, "layer_norm", _, 3):
            guard let kind = norms[path[2]] else { return nil }
            return [path[0] == "encoder" ? "encoder.ln_post.\(kind)" : "decoder.ln.\(kind)"]
        default: return nil
        }
    }

    private static let norms: [Substring: String] = ["gamma": "weight", "beta": "bias"]

    /// What follows a layer's number.
    private static func inner(_ path: String, isDecoder: Bool) -> [String]? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let module = String(path[..<slash]), kind = path[path.index(after: slash)...]
        if let norm = layerNorms[module], let kind = norms[kind] { return ["\(norm).\(kind)"] }
        guard kind == "weight" || kind == "bias" else { return nil }
        let parts = linears[module] ?? (isDecoder ? crossLinears[module] : nil)
        return parts?.map { "\($0).\(kind)" }
    }

    private static let layerNorms = [
        "self_attention/layer_norm": "attn_ln", "attention/layer_norm": "cross_attn_ln", "ffn/layer_norm": "mlp_ln",
    ]
    private static let linears = [
        "self_attention/linear_0": ["attn.query", "attn.key", "attn.value"], "self_attention/linear_1": ["attn.out"],
        "ffn/linear_0": ["mlp.0"], "ffn/linear_1": ["mlp.2"],
    ]
    private static let crossLinears = [
        "attention/linear_0": ["cross_attn.query"], "attention/linear_1": ["cross_attn.key", "cross_attn.value"],
        "attention/linear_2": ["cross_attn.out"],
    ]
}
