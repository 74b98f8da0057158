import Dictionaries
import Kernels
import TensorFiles

/// An objective for a model of known sizes, before its pass: where it will be read, and how it is made when the decoder's tokens are
/// known.
package struct PlannedObjective: Sendable {
    /// What a pass is to tell.
    package struct Reading: Sendable {
        /// What the decoder read, and how many tokens of that were its prompt; none where it reads nothing.
        let tokens: [Int]
        let prompt: Int
        let tokenizer: Tokenizer?
        /// Encoder frames that overlap audio, where the others do not count.
        let validFrames: Int?

        package init(tokens: [Int], prompt: Int, tokenizer: Tokenizer?, validFrames: Int?) {
            (self.tokens, self.prompt) = (tokens, prompt)
            (self.tokenizer, self.validFrames) = (tokenizer, validFrames)
        }
    }

    package let text: String
    /// Whether it is the log-probability of what the decoder reads, whatever that is.
    package let isTranscript: Bool
    /// Where it is read.
    package let points: Set<HookPoint>
    private let make: @Sendable (Reading) throws -> Objective

    /// The objective of one pass.
    /// - Throws: ``WhisperError`` (`invalidArgument`) for what the pass has not; `failedPrecondition` for words of a model without a
    ///   vocabulary.
    package func objective(_ reading: Reading) throws -> Objective { try make(reading) }

    /// What a text means for a model of these sizes; files are read now.
    /// - Throws: ``WhisperError`` (`invalidArgument`) for unknown hook points, several where one is meant, tensors that are not
    ///   finite; what reading a file or a dictionary throws.
    package init(_ text: String, dimensions: ModelDimensions) throws {
        let parsed = try ObjectiveText(text)
        self.text = text
        if case .transcript = parsed.content { isTranscript = true } else { isTranscript = false }
        func point(_ name: String) throws -> HookPoint {
            let found = try HookPoint.matching(name, in: dimensions)
            guard found.count == 1, let point = found.first else {
                throw WhisperError(
                    .invalidArgument,
                    "in the objective \"\(text)\": \(name) names \(found.count) hook points; expected one")
            }
            return point
        }
        switch parsed.content {
        case .encoderSum:
            points = Objective.encoderSum.points
            make = { _ in .encoderSum }
        case .transcript, .text:
            points = [HookPoint(.decoder, .logits)]
            make = { try .logProbability(of: $0.tokens, after: $0.prompt) }
        case .token(let token, let other, let behind):
            points = [HookPoint(.decoder, .logits)]
            make = { reading in
                let id = try reading.id(of: token, in: text), less = try other.map { try reading.id(of: $0, in: text) }
                return .logit(of: id, minus: less, behind: try behind ?? reading.place(of: id))
            }
        case .element(let head, let column):
            let point = try point(parsed.hook)
            let given = try parsed.positions?.range(
                perSecond: point.position.perSecond, of: parsed.hook, in: parsed.words)
            points = [point]
            make = { .element(column, head: head, at: point, positions: given ?? $0.valid(at: point)) }
            try Self.check(head, column, given, at: point, dimensions)
        case .latent(let latent):
            let point = try point(parsed.hook), dictionary = try SparseDictionary.read(parsed.file?.text ?? "")
            let given = try parsed.positions?.range(
                perSecond: point.position.perSecond, of: parsed.hook, in: parsed.words)
            points = [point]
            _ = try Objective.latent(latent, of: dictionary, at: point)
            make = { try .latent(latent, of: dictionary, at: point, positions: given ?? $0.valid(at: point)) }
        case .file:
            let path = parsed.file?.text ?? "", file = try SafetensorsFile(path: path)
            guard !file.names.isEmpty else {
                throw WhisperError(
                    .invalidArgument,
                    "\(path) has no tensors; expected one for each hook point that the objective reads")
            }
            let parts = try file.names.map { name in
                let point = try point(name), whole = point.shape(in: dimensions, tokens: dimensions.nTextCtx)
                // Before anything of it is read.
                let shape = file.shape(of: name) ?? []
                guard let count = checkedProduct(shape), let most = checkedProduct(whole), count <= most else {
                    throw WhisperError(
                        .invalidArgument,
                        "\(path) has a tensor of shape \(shape) for \(point), whose activation is \(whole) at most")
                }
                return try Objective.linear(try file.tensor(named: name), at: point, name: path)
            }
            let whole = Objective(parts)
            points = whole.points
            make = { _ in whole }
        }
    }

    /// Refuses what no pass of the model has, before there is one.
    private static func check(
        _ head: Int?, _ column: Int?, _ positions: Range<Int>?, at point: HookPoint, _ dimensions: ModelDimensions
    ) throws {
        let shape = point.shape(in: dimensions, tokens: dimensions.nTextCtx),
            view = ActivationView(shape, point.site.layout)
        func refuse(_ what: String, _ index: Int, _ count: Int) -> WhisperError {
            WhisperError(
                .invalidArgument, "\(point) has \(what) 0 to \(count - 1), and no \(what) \(index)")
        }
        if let head, !(0..<view.heads).contains(head) { throw refuse("head", head, view.heads) }
        if head == nil, view.heads > 1, let column {
            throw WhisperError(
                .invalidArgument, "\(point) has \(view.heads) heads; expected HEAD.\(column) or *, not \(column) alone")
        }
        if let column, !(0..<view.width).contains(column) {
            throw refuse(point.axes.last ?? "index", column, view.width)
        }
        if let last = positions?.upperBound, last != .max, last > view.positions {
            throw WhisperError(
                .invalidArgument,
                "the objective reads \(point.position.rawValue)s up to \(last) of \(point), which has \(view.positions)"
            )
        }
    }
}

extension PlannedObjective.Reading {
    /// The positions of a point that count; nil for all.
    fileprivate func valid(at point: HookPoint) -> Range<Int>? {
        validFrames.flatMap { point.validPositions(frames: $0) }.map { 0..<$0 }
    }

    fileprivate func id(of name: ObjectiveText.TokenName, in text: String) throws -> Int {
        switch name {
        case .id(let id): return id
        case .word(let word):
            guard let tokenizer else {
                throw WhisperError(
                    .failedPrecondition, "the model has no vocabulary, so a token is named by its id, not \"\(word)\"")
            }
            let candidates = [word, " " + word].map { tokenizer.encodeWithSpecials($0) }
            // As it is written where that is one token; else as a word begins.
            if let one = candidates.first(where: { $0.count == 1 }) { return one[0] }
            throw WhisperError(
                .invalidArgument,
                "in the objective \"\(text)\": \"\(word)\" is \(candidates[0].count) tokens "
                    + "(\(candidates[0].map(String.init).joined(separator: ", "))); expected one")
        }
    }

    /// The position behind which a token is read: before its first place after the prompt, or behind all.
    fileprivate func place(of id: Int) throws -> Int {
        guard !tokens.isEmpty else {
            throw WhisperError(
                .invalidArgument,
                "the objective is a token's logit, but the decoder reads no tokens: give it a text or tokens")
        }
        return (tokens.indices.dropFirst(max(prompt, 1)).first { tokens[$0] == id } ?? tokens.count) - 1
    }
}
