import Foundation
import Kernels
import Testing

import Whisper

/// The engine's gradients against PyTorch's autograd, hook point by hook point, on the micro checkpoint of ``Golden``.
@Suite("Gradients as PyTorch's") struct GradientGoldenTests {
    let golden: Golden
    let model: WhisperModel
    let expected: [String: Tensor]

    init() throws {
        golden = try Golden()
        model = try Golden.model("micro")
        expected = try Golden.safetensors(Golden.folder.appending(path: "gradients.safetensors"))
    }

    static let objectives = ["encoder-sum", "text", "logit", "neuron"]

    private func objective(_ name: String) throws -> Objective {
        switch name {
        case "encoder-sum": .encoderSum
        case "text": try .logProbability(of: golden.tokens, after: 3)
        case "logit": .logit(of: 7, minus: 11, behind: 4)
        default:
            .element(
                5, at: try #require(HookPoint.matching("encoder.blocks.1.mlp.1", in: model.dimensions).first),
                positions: 4..<20)
        }
    }

    private func expectGradients(_ found: DifferentiatedPass, of name: String, _ objective: Int) throws {
        let names = expected.keys.filter { $0.hasPrefix("\(name)/") }.map { String($0.dropFirst(name.count + 1)) }
        #expect(names.count > 20)
        for hook in names {
            let gradient = try #require(found.gradients[objective][hook], "\(name) has no gradient at \(hook)")
            let difference = Difference(gradient, try #require(expected["\(name)/\(hook)"]))
            // Both are float32; small gradients, differences of larger ones, are 3e-5 apart.
            #expect(difference.relativeL2 < 5e-5, "\(name) at \(hook): \(difference)")
        }
        // What comes behind an objective has none, there and here.
        for (hook, gradient) in found.gradients[objective] where !names.contains(hook) {
            #expect(gradient.elements.allSatisfy { $0 == 0 }, "\(name) at \(hook)")
        }
        let value = try #require(expected["value/\(name)"]?.elements.first)
        #expect(abs(found.values[objective] - Double(value)) < 2e-5 * max(1, abs(Double(value))))
    }

    @Test("every hook point's, for one objective at a time", arguments: objectives)
    func one(name: String) throws {
        let found = try model.differentiated([objective(name)], mel: golden.mel, tokens: golden.tokens)
        try expectGradients(found, of: name, 0)
    }

    @Test("several objectives in one forward pass, blocks kept or computed again, are the same to the bit")
    func several() throws {
        let objectives = try Self.objectives.map(objective)
        let kept = try model.differentiated(objectives, mel: golden.mel, tokens: golden.tokens)
        for (index, name) in Self.objectives.enumerated() { try expectGradients(kept, of: name, index) }
        let again = try model.differentiated(objectives, mel: golden.mel, tokens: golden.tokens, memory: 0)
        for (one, other) in zip(kept.gradients, again.gradients) {
            #expect(one.mapValues(\.elements) == other.mapValues(\.elements))
        }
        #expect(kept.values == again.values)
        // Nobody's forward pass is changed by what is kept of it.
        let audio = try model.encode(golden.mel)
        #expect(kept.audio?.elements == audio.elements)
    }

    @Test("only what is asked for comes, the same to the bit", arguments: ["encoder.blocks.*.attn.pattern", "log_mel"])
    func few(hooks: String) throws {
        let objectives = [try objective("text")]
        let all = try model.differentiated(objectives, mel: golden.mel, tokens: golden.tokens)
        let few = try model.differentiated(objectives, at: [hooks], mel: golden.mel, tokens: golden.tokens)
        #expect(few.gradients[0].count == (hooks == "log_mel" ? 1 : 2))
        for (hook, gradient) in few.gradients[0] { #expect(gradient.elements == all.gradients[0][hook]?.elements) }
        #expect(few.values == all.values)
    }
}

/// What a forward pass and its ways back gave.
struct DifferentiatedPass {
    var gradients: [[String: Tensor]]
    var values: [Double] = []
    /// The encoder's output.
    var audio: Tensor?
}

extension WhisperModel {
    /// Gradients of objectives, by their number and hook.
    /// - Parameter hooks: `log_mel` and patterns of hook points.
    func differentiated(
        _ objectives: [Objective], at hooks: [String] = ["log_mel", "**"], mel: Tensor, tokens: [Int],
        interventions: [String] = [], validFrames: Int? = nil, reduction: Reduction = .none, memory: Int = 1 << 30
    ) throws -> DifferentiatedPass {
        let plan = GradientPlan(
            points: Set(try hooks.filter { $0 != "log_mel" }.flatMap { try HookPoint.matching($0, in: dimensions) }),
            wantsLogMel: hooks.contains("log_mel"),
            objectivePoints: objectives.reduce(into: []) { $0.formUnion($1.points) }, memory: memory)
        let changes = try interventions.map { try Intervention(parsing: $0, dimensions: dimensions) }
        let run = try HookRun(
            HookPlan(reduction: reduction, validFrames: validFrames, interventions: changes), dimensions: dimensions,
            gradients: plan)
        var found = DifferentiatedPass(gradients: objectives.map { _ in [:] })
        found.audio = try encode(mel, hooks: run)
        if let audio = found.audio {
            _ = try decode([tokens], cache: decoderCache(audio: audio), hooks: run)
        }
        var gradients = found.gradients
        found.values = try differentiate(objectives, through: run) { objective, gradient in
            switch gradient {
            case .activation(let captured): gradients[objective][captured.hook.name] = captured.tensor
            case .logMel(let tensor): gradients[objective]["log_mel"] = tensor
            }
        }
        found.gradients = gradients
        return found
    }
}
