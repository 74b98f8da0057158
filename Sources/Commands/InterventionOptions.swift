import ArgumentParser
import Messages

/// Changes to activations, and the form of their text: the same for every command that takes them.
struct InterventionOptions: ParsableArguments {
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Change activations during the pass, as 'HOOK = zero'; may be repeated.", valueName: "spec"))
    var intervene: [String] = []

    var messages: [V1.Intervention] { intervene.map { V1.Intervention(text: $0) } }

    /// The form of a SPEC, with examples; stands behind what a command's help says of itself.
    static let grammar = """

        A SPEC of --intervene is HOOK [PLACE …] = CHANGE; HOOK is a name, glob or alias.

        PLACE
          @frames a:b       positions from a to before b; seconds as 1.5s:3s
          @tokens a:b       the same of the decoder's tokens
          @word 3           the third word of the transcript; 3-5, three words
          @"hot questions"  words by what they say
          @heads 0,3        heads, of q, k, v, z, scores and pattern
          @neurons 5,7      columns: neurons of mlp.1, channels, keys; 0-63
          @to HOOK:1,2      only as these readers get it, not the stream: an edge
                            from attn.z, attn, cross_attn.z, cross_attn, mlp.1 or
                            mlp to attn.q, attn.k, attn.v, cross_attn.q, mlp.0,
                            ln_post or ln behind it

        CHANGE
          zero | scale x | noise s [seed n] | window k | substitute-padding
          mean [over DATASET]
          clamp v | clamp a:b | clamp q0.1:q0.9 [over DATASET]
          set FILE | add FILE x
          patch FILE|RECORDING [@frames a:b | @word w]
          resample DATASET [seed n]
          splice FOLDER
          latent FOLDER i = zero | scale x | set v | clamp a:b

        mean and quantiles (q0.9) are of the pass itself, or over a data set. patch puts in what another recording has, \
        or a file that 'auscult trace' wrote, at the same place or at that one; resample, what a recording of the data \
        set has that is drawn for each window. A DATASET is a folder, a manifest or demo:. Words are those of the \
        transcript without changes.

          'encoder.blocks.2.mlp.1 @neurons 5,7 @frames 50:100 = zero'
          'encoder.blocks.*.attn.z @heads 0,2 = zero'
          'encoder.ln_post @"hot questions" substitute-padding'
          'encoder.blocks.3.mlp.1 @neurons 17 = clamp :q0.9 over demo:'
          'encoder.blocks.1 @word 3 = patch other.wav @word 3'
          'decoder.blocks.0.mlp.1 = mean over speech/'
          'encoder.blocks.0.attn.z @heads 2 @to encoder.blocks.3.attn.q:1 = zero'
        """
}
