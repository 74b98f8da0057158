import Testing
import Whisper

@Suite("The text of interventions") struct InterventionTextTests {
    @Test(
        "its file alone is replaced, wherever it stands",
        arguments: [
            ("encoder.ln_post = set v.safetensors", "encoder.ln_post = set /w/v.safetensors"),
            ("encoder.ln_post=add ./d/v.safetensors 0.5", "encoder.ln_post=add /w/./d/v.safetensors 0.5"),
            (
                "encoder.blocks.*.attn.z@heads 0,3 @frames 1.5s:3s = add v 1",
                "encoder.blocks.*.attn.z@heads 0,3 @frames 1.5s:3s = add /w/v 1"
            ),
            ("encoder.ln_post@frames 0:20 set v", "encoder.ln_post@frames 0:20 set /w/v"),
            ("encoder.ln_post = set a@b=c", "encoder.ln_post = set /w/a@b=c"),
            ("encoder.ln_post = set \"a file\"", "encoder.ln_post = set \"/w/a file\""),
            ("set = set set", "set = set /w/set"), ("add add add 1", "add add /w/add 1"),
            ("encoder.blocks.2 splice d", "encoder.blocks.2 splice /w/d"),
            ("encoder.blocks.2 @frames 0:9 = splice d", "encoder.blocks.2 @frames 0:9 = splice /w/d"),
            ("encoder.blocks.2 @frames 0:9 latent d 3 = set 2", "encoder.blocks.2 @frames 0:9 latent /w/d 3 = set 2"),
            ("encoder.blocks.2 = latent d 3 zero", "encoder.blocks.2 = latent /w/d 3 zero"),
            ("encoder.ln_post = zero", "encoder.ln_post = zero"),
            ("encoder.blocks.*.attn window 75", "encoder.blocks.*.attn window 75"),
        ])
    func file(written: String, expected: String) throws {
        #expect(try InterventionText(written).replacingFile { "/w/" + $0 } == expected)
    }

    @Test("a path with blanks is put into quotes")
    func blanks() throws {
        let text = try InterventionText("encoder.ln_post = add v.safetensors 2")
        #expect(text.replacingFile { "/my work/\($0)" } == "encoder.ln_post = add \"/my work/v.safetensors\" 2")
    }

    @Test(
        "an error names the character where it is",
        arguments: [
            ("encoder.blocks.0 = explode", 20, "explode"), ("encoder.blocks.0 = scale x", 26, "a factor"),
            ("encoder.blocks.0 @colour red = zero", 18, "@colour"),
            ("encoder.blocks.0 @frames 5 = zero", 26, "a range"), ("encoder.blocks.0@frames a:b = zero", 25, "a"),
            ("encoder.blocks.0 @heads 0,x = zero", 25, "0,x"), ("encoder.blocks.0 = zero zero", 25, "left over"),
            ("encoder.blocks.0 = set \"a b", 24, "quote"), ("encoder.blocks.0 latent \"a d\" x zero", 31, "number"),
            ("encoder.blocks.0 latent d 3 = fly", 31, "fly"), ("é = fly", 5, "fly"),
        ])
    func place(text: String, character: Int, word: String) {
        let error = #expect(throws: WhisperError.self) { try InterventionText(text) }
        #expect(error?.code == .invalidArgument)
        let message = error?.message ?? ""
        #expect(message.contains("at character \(character): ") && message.contains(word), "\(message)")
    }

    @Test(
        "what is missing is expected at its end", arguments: ["", "a", "a =", "a = add", "a = add f", "a @frames", "="])
    func missing(text: String) {
        let error = #expect(throws: WhisperError.self) { try InterventionText(text) }
        #expect(error?.message.contains("expected") == true && error?.message.contains("at its end") == true)
    }

    @Test("a range that is empty, and seconds where there is no time, are refused at their place")
    func ranges() {
        let dimensions = SyntheticModel.dimensions
        let bad = [
            ("encoder.blocks.0 @frames 9:3 = zero", "character 26: the range 9:3 is empty"),
            ("decoder.blocks.0 @tokens 1s:2s = zero", "character 26: 1.0 s is no position"),
        ]
        for (text, words) in bad {
            let error = #expect(throws: WhisperError.self) {
                try Intervention(parsing: text, dimensions: dimensions)
            }
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
    }
}
