/// Names that other tools give to the same places.
///
/// An alias is rewritten part by part, so wildcards in a block's number survive:
/// `model.encoder.layers.*.fc1` becomes `encoder.blocks.*.mlp.0`.
enum HookAlias {
    /// The canonical form of a name or pattern; what is no alias comes back unchanged.
    static func canonical(_ pattern: String) -> String {
        if let whole = wholeNames[pattern] { return whole }
        var name = pattern
        if name.hasPrefix("model.") { name.removeFirst("model.".count) }
        if let whole = wholeNames[name] { return whole }
        for stack in ["encoder", "decoder"] where name.hasPrefix("\(stack).layers.") {
            name = "\(stack).blocks." + name.dropFirst("\(stack).layers.".count)
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 3, parts[1] == "blocks" else { return name }
        let site = parts[3...].joined(separator: ".")
        guard let canonical = sites[site] else { return name }
        return (parts[..<3] + (canonical.isEmpty ? [] : [canonical])).joined(separator: ".")
    }

    private static let wholeNames = [
        // TransformerLens
        "decoder.hook_embed": "decoder.token_embedding", "encoder.hook_pos_embed": "encoder.positional",
        "decoder.hook_pos_embed": "decoder.positional", "encoder.ln_final": "encoder.ln_post",
        "decoder.ln_final": "decoder.ln", "decoder.unembed": "decoder.logits",
        // Hugging Face
        "model.encoder.layer_norm": "encoder.ln_post", "encoder.layer_norm": "encoder.ln_post",
        "model.decoder.layer_norm": "decoder.ln", "decoder.layer_norm": "decoder.ln",
        "model.decoder.embed_tokens": "decoder.token_embedding", "decoder.embed_tokens": "decoder.token_embedding",
        "proj_out": "decoder.logits",
    ]

    /// What follows `….blocks.N.`; the empty string is the block itself.
    private static let sites: [String: String] = {
        var sites = [
            // TransformerLens
            "hook_resid_pre": "resid_pre", "hook_resid_mid": "resid_mid", "hook_resid_post": "", "resid_post": "",
            "hook_attn_out": "attn", "hook_mlp_out": "mlp", "hook_cross_attn_out": "cross_attn",
            "hook_resid_cross": "resid_cross", "mlp.hook_pre": "mlp.0", "mlp.hook_post": "mlp.1",
            "ln1.hook_normalized": "attn_ln", "ln2.hook_normalized": "mlp_ln",
            // Hugging Face
            "fc1": "mlp.0", "activation_fn": "mlp.1", "fc2": "mlp", "self_attn_layer_norm": "attn_ln",
            "encoder_attn_layer_norm": "cross_attn_ln", "final_layer_norm": "mlp_ln",
            // openai/whisper's modules
            "mlp.2": "mlp",
        ]
        for (own, other) in [("attn", "self_attn"), ("cross_attn", "encoder_attn")] {
            sites[other] = own
            for (torch, hugging, short) in [("query", "q_proj", "q"), ("key", "k_proj", "k"), ("value", "v_proj", "v")]
            {
                sites["\(own).\(torch)"] = "\(own).\(short)"
                sites["\(other).\(hugging)"] = "\(own).\(short)"
                sites["\(own).hook_\(short)"] = "\(own).\(short)"
            }
            sites["\(own).out"] = own
            sites["\(other).out_proj"] = own
            sites["\(own).hook_attn_scores"] = "\(own).scores"
            sites["\(own).hook_pattern"] = "\(own).pattern"
            sites["\(own).hook_z"] = "\(own).z"
        }
        return sites
    }()
}
