import PluginKit

/// What an exchange did in one pair.
struct Effect {
    let place: Place
    /// The logit difference with the clean activation there, less that without: measured, and to first order.
    let exact, attributed: Double
    /// The measured one as a part of what the corrupted recording lacks to the clean one.
    let recovered: Double
}

/// What was found of one pair.
struct PatchedPair {
    let contrast: Contrast
    let effects: [Effect]
    /// Where its clean activations lie.
    let file: String

    /// The text of a change that puts the clean activations in.
    static func change(_ target: String, _ file: String) -> String { "\(target) = patch \"\(file)\"" }

    /// Puts the clean activations in, place by place.
    /// - Parameter passed: called after each pass.
    init(_ contrast: Contrast, _ places: [Place], file: String, passed: () throws -> Void) throws {
        (self.contrast, self.file) = (contrast, file)
        effects = try places.compactMap { place in
            guard let attributed = contrast.attributed(place) else { return nil }
            let value = try contrast.value(interventions: [Self.change(place.target, file)])
            try passed()
            return Effect(
                place: place, exact: value - contrast.corrupted, attributed: attributed,
                recovered: contrast.recovered(value))
        }
    }

    /// The window of frames that matters most at a block's end; nil where there is none.
    func bestWindow(layer: Int) -> Range<Int>? {
        effects.filter { $0.place.kind == .frames && $0.place.layer == layer }.max { $0.exact < $1.exact }?.place.rows
    }
}

/// Effects over pairs.
struct MeanEffects {
    /// By place, whatever frames or tokens it stood at: the mean of what was recovered, of what attribution says would be, and of how many
    /// pairs.
    private var sums: [Place: (recovered: Double, attributed: Double, pairs: Int)] = [:]

    init(_ pairs: [PatchedPair]) {
        for pair in pairs {
            let gap = pair.contrast.clean - pair.contrast.corrupted
            for effect in pair.effects {
                var place = effect.place
                place.rows = nil
                var sum = sums[place] ?? (0, 0, 0)
                sum.recovered += effect.recovered
                sum.attributed += effect.attributed / gap
                sum.pairs += 1
                sums[place] = sum
            }
        }
    }

    func recovered(_ kind: Place.Kind, _ layer: Int, _ index: Int) -> Double {
        mean(kind, layer, index) { $0.recovered }
    }
    func attributed(_ kind: Place.Kind, _ layer: Int, _ index: Int) -> Double {
        mean(kind, layer, index) { $0.attributed }
    }

    private func mean(
        _ kind: Place.Kind, _ layer: Int, _ index: Int,
        _ value: ((recovered: Double, attributed: Double, pairs: Int)) -> Double
    ) -> Double {
        guard let sum = sums[Place(kind: kind, layer: layer, index: index)], sum.pairs > 0 else { return .nan }
        return value(sum) / Double(sum.pairs)
    }

    /// One more than the last index of a kind.
    func extent(_ kind: Place.Kind) -> Int { (sums.keys.filter { $0.kind == kind }.map(\.index).max() ?? -1) + 1 }

    /// Heads and MLPs, the most recovered first.
    var best: [(place: Place, recovered: Double, attributed: Double)] {
        var parts: [(place: Place, recovered: Double, attributed: Double)] = []
        for (place, sum) in sums where place.isPart {
            parts.append((place, sum.recovered / Double(sum.pairs), sum.attributed / Double(sum.pairs)))
        }
        return parts.sorted { ($0.recovered, $1.place.name) > ($1.recovered, $0.place.name) }
    }
}
