import Testing
import Whisper

@Suite struct HookPointTests {
    let dimensions = SyntheticModel.dimensions

    private func names(_ pattern: String) throws -> [String] {
        try HookPoint.matching(pattern, in: dimensions).map(\.name)
    }

    @Test("names are unique, and each finds itself alone")
    func canonicalNames() throws {
        let all = HookPoint.all(in: dimensions).map(\.name)
        #expect(Set(all).count == all.count)
        // 3 + 15 a block + 1 in the encoder, 2 + 24 a block + 2 in the decoder.
        #expect(all.count == 4 + 15 * 3 + 4 + 24 * 2)
        for name in all { #expect(try names(name) == [name]) }
    }

    @Test("a star stays within a part of the name, two stars do not")
    func globs() throws {
        #expect(try names("encoder.blocks.*") == ["encoder.blocks.0", "encoder.blocks.1", "encoder.blocks.2"])
        #expect(try names("encoder.blocks.*.attn.pattern").count == 3)
        #expect(try names("*").count == HookPoint.all(in: dimensions).count)
        #expect(try names("encoder.**").allSatisfy { $0.hasPrefix("encoder.") })
        #expect(try names("**.mlp.1").count == 5)
        #expect(try names("encoder.blocks.{0,2}.mlp.?").count == 4)
        #expect(try names("decoder.l*") == ["decoder.ln", "decoder.logits"])
    }

    @Test(
        "other tools' names lead to the same places",
        arguments: [
            ("encoder.blocks.2.mlp.hook_post", "encoder.blocks.2.mlp.1"),
            ("encoder.blocks.1.mlp.hook_pre", "encoder.blocks.1.mlp.0"),
            ("encoder.blocks.1.hook_resid_pre", "encoder.blocks.1.resid_pre"),
            ("encoder.blocks.1.hook_resid_mid", "encoder.blocks.1.resid_mid"),
            ("encoder.blocks.1.hook_resid_post", "encoder.blocks.1"),
            ("decoder.blocks.0.attn.hook_pattern", "decoder.blocks.0.attn.pattern"),
            ("decoder.blocks.0.cross_attn.hook_z", "decoder.blocks.0.cross_attn.z"),
            ("decoder.blocks.0.attn.hook_attn_scores", "decoder.blocks.0.attn.scores"),
            ("model.encoder.layers.2.fc1", "encoder.blocks.2.mlp.0"),
            ("model.encoder.layers.2.fc2", "encoder.blocks.2.mlp"),
            ("model.encoder.layers.2", "encoder.blocks.2"),
            ("model.encoder.layers.0.self_attn.q_proj", "encoder.blocks.0.attn.q"),
            ("model.decoder.layers.1.encoder_attn.v_proj", "decoder.blocks.1.cross_attn.v"),
            ("model.decoder.layers.1.encoder_attn", "decoder.blocks.1.cross_attn"),
            ("model.encoder.layer_norm", "encoder.ln_post"), ("proj_out", "decoder.logits"),
            ("encoder.blocks.0.attn.query", "encoder.blocks.0.attn.q"),
            ("encoder.blocks.0.attn.out", "encoder.blocks.0.attn"),
        ])
    func aliases(alias: String, canonical: String) throws {
        #expect(try names(alias) == [canonical])
    }

    @Test("an alias takes wildcards too")
    func aliasGlob() throws {
        #expect(try names("model.encoder.layers.*.fc1").count == 3)
    }

    @Test(
        "an unknown name is refused with the nearest ones",
        arguments: ["encoder.blocks.2.mpl.1", "encoder.block.2.mlp.1"])
    func unknown(name: String) throws {
        let error = #expect(throws: WhisperError.self) { try names(name) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("encoder.blocks.2.mlp.1") == true)
        #expect(throws: WhisperError.self) { try names("encoder.blocks.3") }
        #expect(throws: WhisperError.self) { try names("") }
    }

    @Test("the shapes that are announced are the shapes that are captured")
    func shapes() throws {
        let tokens = [3, 1, 4]
        let captured = try SyntheticModel.make().captured(["*"], tokens: tokens)
        for point in HookPoint.all(in: dimensions) {
            let found = try #require(captured[point.name])
            #expect(found.tensor.shape == point.shape(in: dimensions, tokens: tokens.count), "\(point)")
            #expect(found.axes == point.axes)
            #expect(found.axes.count == found.tensor.rank)
        }
    }
}
