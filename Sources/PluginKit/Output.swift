/// How a front end may draw a result.
public enum Plot: Int32, Sendable { case none = 1, bar, heatMap, line, spectrogramOverlay, player }

/// One axis of a vector or a matrix.
public struct Axis: Sendable {
    public var name: String
    public var unit: String
    /// One for each position, or none.
    public var labels: [String]
    /// Without labels, position i stands for `first + i * step`.
    public var first: Double
    public var step: Double

    public init(_ name: String, unit: String = "", labels: [String] = [], first: Double = 0, step: Double = 1) {
        self.name = name
        self.unit = unit
        self.labels = labels
        self.first = first
        self.step = step
    }
}

/// A result that a plugin promises. What is emitted under another id, or of another kind, is refused.
public struct Output: Sendable {
    public enum Kind: Int32, Sendable { case scalar = 1, vector, matrix, table, timedEvents, audioClip, text }

    public let id: String
    public let kind: Kind
    public let title: String
    public let unit: String
    public let description: String
    public let plot: Plot
    /// Two for a matrix, one for a vector, or none where the value brings its own.
    public let axes: [Axis]

    private init(
        _ id: String, _ kind: Kind, _ title: String, _ unit: String, _ description: String, _ plot: Plot,
        _ axes: [Axis] = []
    ) {
        self.id = id
        self.kind = kind
        self.title = title
        self.unit = unit
        self.description = description
        self.plot = plot
        self.axes = axes
    }

    public static func scalar(_ id: String, title: String, unit: String = "", _ description: String = "") -> Output {
        Output(id, .scalar, title, unit, description, .none)
    }

    public static func vector(
        _ id: String, title: String, unit: String = "", axis: Axis? = nil, plot: Plot = .line,
        _ description: String = ""
    ) -> Output { Output(id, .vector, title, unit, description, plot, axis.map { [$0] } ?? []) }

    /// - Parameter axes: of the rows and of the columns.
    public static func matrix(
        _ id: String, title: String, unit: String = "", axes: (rows: Axis, columns: Axis)? = nil, plot: Plot = .heatMap,
        _ description: String = ""
    ) -> Output { Output(id, .matrix, title, unit, description, plot, axes.map { [$0.rows, $0.columns] } ?? []) }

    public static func table(
        _ id: String, title: String, plot: Plot = .none, _ description: String = ""
    ) -> Output { Output(id, .table, title, "", description, plot) }

    /// - Parameter unit: of the events' values.
    public static func events(
        _ id: String, title: String, unit: String = "", plot: Plot = .spectrogramOverlay, _ description: String = ""
    ) -> Output { Output(id, .timedEvents, title, unit, description, plot) }

    public static func audio(_ id: String, title: String, _ description: String = "") -> Output {
        Output(id, .audioClip, title, "", description, .player)
    }

    public static func text(_ id: String, title: String, _ description: String = "") -> Output {
        Output(id, .text, title, "", description, .none)
    }
}
