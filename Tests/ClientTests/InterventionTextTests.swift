import Client
import Testing

@Suite("Files in interventions") struct InterventionTextTests {
    @Test(
        "a relative file becomes absolute, and nothing else changes",
        arguments: [
            ("encoder.ln_post = set v.safetensors", "encoder.ln_post = set /w/v.safetensors"),
            ("encoder.ln_post=add ./d/v.safetensors 0.5", "encoder.ln_post=add /w/d/v.safetensors 0.5"),
            (
                "encoder.blocks.*.attn.z@heads 0,3 @frames 1.5s:3s = add v 1",
                "encoder.blocks.*.attn.z@heads 0,3 @frames 1.5s:3s = add /w/v 1"
            ),
            ("encoder.ln_post@frames 0:20 set v", "encoder.ln_post@frames 0:20 set /w/v"),
            ("encoder.ln_post @heads 1 @frames :4 add a@b=c 1", "encoder.ln_post @heads 1 @frames :4 add a@b=c 1"),
            ("encoder.ln_post = set a@b=c", "encoder.ln_post = set /w/a@b=c"),
            ("encoder.ln_post = set \"a file\"", "encoder.ln_post = set \"/w/a file\""),
            ("set = set set", "set = set /w/set"), ("add add add 1", "add add /w/add 1"),
            ("encoder.blocks.2 splice d", "encoder.blocks.2 splice /w/d"),
            ("encoder.blocks.2 @frames 0:9 = splice d", "encoder.blocks.2 @frames 0:9 = splice /w/d"),
            ("encoder.blocks.2 @frames 0:9 latent d 3 = set 2", "encoder.blocks.2 @frames 0:9 latent /w/d 3 = set 2"),
            ("encoder.blocks.2 = latent d 3 zero", "encoder.blocks.2 = latent /w/d 3 zero"),
        ])
    func relative(written: String, expected: String) {
        #expect(InterventionText(written, in: "/w").text == expected)
    }

    @Test("a folder with blanks in its name puts the file into quotes")
    func blanks() {
        let text = InterventionText("encoder.ln_post = add v.safetensors 2", in: "/my work/here").text
        #expect(text == "encoder.ln_post = add \"/my work/here/v.safetensors\" 2")
    }

    @Test(
        "what has no file, an absolute one, or no sense is left as it is",
        arguments: [
            "encoder.ln_post = zero", "encoder.ln_post = set /a/v", "encoder.ln_post = noise 0.1 seed 3", "", "=",
            "set",
            "encoder.blocks.*.attn window 75", "encoder.ln_post = add", "@", "a @frames", "encoder.ln_post = scale set",
            "\"", "x = set \"", "encoder.ln_post substitute-padding 3:4",
        ])
    func untouched(written: String) {
        let text = InterventionText(written, in: "/w").text
        #expect(text == written || written == "x = set \"")
    }
}
