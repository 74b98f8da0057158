import Dictionaries
import Kernels
import Whisper

/// The features of one listener, found in the model: where they are read, and how.
struct LiveReadings: Sendable {
    /// Features of one listener: more than all columns of a hook point of the largest models have.
    static let most = 8192

    /// Hook points whose activations are needed.
    var points: Set<HookPoint> { Set(places.map(\.point)) }
    var isEmpty: Bool { features.isEmpty }
    var count: Int { features.count }

    /// An activation, or what a dictionary makes of it: read once for all features that are columns of it.
    private struct Place {
        let point: HookPoint
        let folder: String?
        let dictionary: SparseDictionary?
    }

    private var places: [Place] = []
    /// In the order in which they were asked for.
    private var features: [(place: Int, index: Int)] = []

    /// Dictionaries are read now.
    /// - Throws: ``ServiceError`` or ``WhisperError`` (`invalidArgument`) for a hook that is not one column-wise encoder
    ///   activation, an index past its columns, and a dictionary of another width; what reading a dictionary throws.
    init(_ wanted: [LiveOptions.Feature], _ dimensions: ModelDimensions) throws {
        guard wanted.count <= Self.most else {
            throw ServiceError(
                .invalidArgument, "\(wanted.count) features; expected at most \(Self.most) of one listener")
        }
        // Many features are of one hook point: each is looked for once.
        var found: [LiveOptions.Feature: Int] = [:]
        for feature in wanted {
            let whole = LiveOptions.Feature(hook: feature.hook, index: 0, dictionary: feature.dictionary)
            let place = try found[whole] ?? place(of: whole, dimensions)
            found[whole] = place
            let columns =
                places[place].dictionary?.latents ?? Self.columns(of: places[place].point, dimensions)
            guard (0..<columns).contains(feature.index) else {
                throw ServiceError(
                    .invalidArgument,
                    feature.dictionary.map { "\($0) has latents 0 to \(columns - 1), and no latent \(feature.index)" }
                        ?? "\(places[place].point) has columns 0 to \(columns - 1), and no column \(feature.index)")
            }
            features.append((place, feature.index))
        }
    }

    /// One list a feature, of the rows `frames` of the activations, `[frame, …]`.
    /// - Throws: ``DictionaryError`` for an activation that does not fit a dictionary.
    func values(in captured: [HookPoint: CapturedTensor], frames: Range<Int>) throws -> [[Float]] {
        let matrices = try places.map { place -> Tensor in
            guard let tensor = captured[place.point] else { return Tensor(shape: [0, 1], []) }
            let frames = frames.clamped(to: 0..<tensor.positions)
            let rows = tensor.tensor.rows(frames).reshaped([frames.count, tensor.tensor.shape.dropFirst().reduce(1, *)])
            return try place.dictionary?.encode(rows) ?? rows
        }
        return features.map { feature in
            let (rows, width) = (matrices[feature.place].shape[0], matrices[feature.place].shape[1])
            return matrices[feature.place].withUnsafeBufferPointer { values in
                (0..<rows).map { values[$0 * width + feature.index] }
            }
        }
    }

    // MARK: - Finding

    private mutating func place(of feature: LiveOptions.Feature, _ dimensions: ModelDimensions) throws -> Int {
        let known = places.first { $0.folder == feature.dictionary && $0.dictionary != nil }?.dictionary
        let dictionary = try known ?? feature.dictionary.map(SparseDictionary.read)
        var hook = feature.hook
        if let dictionary, hook.isEmpty {
            guard !dictionary.hook.isEmpty else {
                throw ServiceError(
                    .invalidArgument,
                    "\(feature.dictionary ?? "") does not say which hook point it was made for; name one")
            }
            hook = dictionary.hook
        }
        let point = try Self.point(hook, dimensions)
        if let dictionary, dictionary.inputs != Self.columns(of: point, dimensions) {
            throw ServiceError(
                .invalidArgument,
                "\(feature.dictionary ?? "") is a dictionary of \(dictionary.inputs) values a frame; \(point) has "
                    + "\(Self.columns(of: point, dimensions))")
        }
        if let place = places.firstIndex(where: { $0.point == point && $0.folder == feature.dictionary }) {
            return place
        }
        places.append(Place(point: point, folder: feature.dictionary, dictionary: dictionary))
        return places.count - 1
    }

    private static func point(_ hook: String, _ dimensions: ModelDimensions) throws -> HookPoint {
        let points = try HookPoint.matching(hook, in: dimensions)
        guard let point = points.first, points.count == 1 else {
            throw ServiceError(.invalidArgument, "a feature belongs to one hook point; \(hook) matches \(points.count)")
        }
        guard point.isEncoder, point.axes.first == "frame" else {
            throw ServiceError(
                .invalidArgument,
                "a live feature is a column of an encoder activation, frame by frame; \(point) has the axes "
                    + "\(point.axes.joined(separator: ", "))")
        }
        return point
    }

    private static func columns(of point: HookPoint, _ dimensions: ModelDimensions) -> Int {
        point.shape(in: dimensions, tokens: 1).dropFirst().reduce(1, *)
    }
}
